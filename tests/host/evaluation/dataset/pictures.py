"""Pictures with corners and areas, all different, drawn from a number."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = cv2.typing.MatLike
Bytes = NDArray[np.uint8]


def draw(number: int, size: tuple[int, int] = (150, 120)) -> Picture:
    """Return the picture of that number, (H, W, 3) uint8: the same one each time."""
    width, height = size
    random = np.random.default_rng(number)
    coarse = random.integers(40, 216, (4, 5, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    for _ in range(25):
        centre = (int(random.integers(0, width)), int(random.integers(0, height)))
        colour = random.integers(0, 256, 3).tolist()
        if random.random() < 0.5:
            cv2.circle(picture, centre, int(random.integers(3, 14)), colour, -1, cv2.LINE_AA)
        else:
            sides = random.integers(4, 24, 2)
            end = (centre[0] + int(sides[0]), centre[1] + int(sides[1]))
            cv2.rectangle(picture, centre, end, colour, -1)
    return picture


def rgb(picture: Picture) -> Bytes:
    """Return OpenCV's picture as edgeinfer's."""
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


def as_jpeg(picture: Picture, quality: int = 85) -> bytes:
    """Return it as the content of a JPEG file."""
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return encoded.tobytes()
