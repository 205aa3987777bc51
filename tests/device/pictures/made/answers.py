"""What edgeinfer makes of picture files, with whatever OpenCV an environment has.

`python -m tests.device.pictures.made.answers FOLDER` prints it as JSON for the files of a folder.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import cv2

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import decode_image


def answer(data: bytes) -> str:
    """Return a picture's size and a digest of its pixels, or why it is refused."""
    try:
        pixels = decode_image(data, subject="picture")
    except ImageError as error:
        return f"{error.got}; {error.next_step}"
    height, width = pixels.shape[:2]
    return f"{width} x {height} {hashlib.sha256(pixels.tobytes()).hexdigest()}"


def main() -> None:
    """Print the answers to the files of a folder, by name, and the version of OpenCV."""
    files = sorted(Path(sys.argv[1]).iterdir())
    answers = {path.name: answer(path.read_bytes()) for path in files}
    print(json.dumps({"opencv": cv2.__version__, "answers": answers}))


if __name__ == "__main__":
    main()
