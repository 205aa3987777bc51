"""A camera that says what it sees, whenever that changes.

python camera.py photos.edgebundle               # the first camera
python camera.py photos.edgebundle /dev/video2
python camera.py photos.edgebundle clip.mp4
"""

import logging
import sys

import edgeinfer


def main(model_path: str, camera: str = "") -> None:
    """Print an answer when it is another one than before; Ctrl-C ends it."""
    logging.basicConfig()  # shows warnings, such as a camera that was unplugged and came back
    said = ""
    # The answer is smoothed over the last five frames, so that a single wrong one changes nothing.
    with edgeinfer.open(model_path, camera=camera, smooth=5) as stream:
        for answer in stream.answers():
            if answer.prediction.headline != said:
                said = answer.prediction.headline
                print(f"frame {answer.frame.sequence}: {said}, {answer.age_ms:.0f} ms old")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:3])
    except KeyboardInterrupt:
        pass
    except edgeinfer.EdgeinferError as error:
        sys.exit(f"error: {error}")
