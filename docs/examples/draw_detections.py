"""Boxes around what a detector finds in a picture.

python draw_detections.py detector.tflite street.jpg street-boxes.png
"""

import sys

import cv2

import edgeinfer

LEAST_SCORE = 0.5
GREEN = (0, 255, 0)


def main(model_path: str, picture: str, out: str) -> None:
    """Draw the boxes into a copy of the picture."""
    pixels = edgeinfer.read_image(picture)
    with edgeinfer.Model.open(model_path) as model:
        found = model.predict(pixels)
    if not isinstance(found, edgeinfer.Detections):
        sys.exit(f"error: {model_path} finds no objects, it predicts a {type(found).__name__}")
    canvas = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    for name, score, box in zip(found.names, found.scores, found.boxes, strict=True):
        if score < LEAST_SCORE:
            continue
        left, top, right, bottom = (round(float(side)) for side in box)
        cv2.rectangle(canvas, (left, top), (right, bottom), GREEN, 2)
        place = (left + 4, max(top + 20, 20))
        cv2.putText(canvas, f"{name} {score:.0%}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, GREEN, 2)
    cv2.imwrite(out, canvas)
    print(f"{out}: {found.text()}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:4])
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
