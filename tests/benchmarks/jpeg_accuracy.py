"""What decoding a camera's JPEGs at a part of their size costs in accuracy.

    python -m tests.benchmarks.jpeg_accuracy BUNDLE FOLDER

Every photograph below FOLDER, which has a sub-folder for each class, becomes the frame that a
camera would send: 1280x720, quality 80. It is decoded whole and at parts of its size and answered.
For a model of 224x224 pixels `jpeg_reduction` never goes beyond a half there, because a quarter has
180 rows; what a quarter would cost is printed as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.files.labelled import PictureFolder
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.jpeg import JPEG_FLAGS
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess.jpeg_reduction import reduction_for
from edgeinfer.device.tasks.classification.prediction import Classification
from tests.benchmarks.measure import Row, table
from tests.benchmarks.mjpeg import FRAME, QUALITY

REDUCTIONS = (1, 2, 4, 8)


def as_camera_jpeg(picture: Pixels) -> NDArray[np.uint8]:
    """Return a photograph as a camera's JPEG, (N,) bytes."""
    frame = cv2.resize(
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), FRAME, interpolation=cv2.INTER_CUBIC
    )
    encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return np.asarray(encoded, np.uint8).reshape(-1)


def accuracy(
    model: Model, folder: Path, reductions: Sequence[int] = REDUCTIONS
) -> dict[str, float]:
    """Return the share of right answers: of the files as they are, and at each reduction."""
    right = dict.fromkeys(["the files as they are", *map(str, reductions)], 0)
    pictures = PictureFolder(folder)
    for pixels, label in pictures:
        answers = {"the files as they are": model.predict(pixels)}
        data = as_camera_jpeg(pixels)
        for reduction in reductions:
            decoded = np.asarray(cv2.imdecode(data, JPEG_FLAGS[reduction]), np.uint8)
            answers[str(reduction)] = model.infer(model.preprocessor.tensor(decoded, "bgr"))
        for name, answer in answers.items():
            right[name] += isinstance(answer, Classification) and answer.label == label
    return {name: count / len(pictures) for name, count in right.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Accuracy by the reduction of JPEG decoding.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    with Model.open(options.bundle) as model:
        allowed = reduction_for(model.preprocessor.spec, FRAME)
        found = accuracy(model, options.folder)
        print(f"the bundle's own jpeg_reduction gives 1/{allowed} of {FRAME[0]}x{FRAME[1]}\n")
    whole = found["1"]
    rows = [
        Row(
            what=name if not name.isdigit() else f"camera frames decoded at 1/{name}",
            figure=f"{share:.2%}",
            compared_with=f"{100 * (share - whole):+.2f} points" if name != "1" else "",
        )
        for name, share in found.items()
    ]
    print(table(rows))


if __name__ == "__main__":
    main()
