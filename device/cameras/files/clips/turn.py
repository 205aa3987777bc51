"""Turning the frames of a video upright, in memory that is used again.

OpenCV could do it: 4.11 does not unless asked to, none of its releases undoes a mirrored picture or
reads a rotation in every container, and before 4.7 the angle had the other sign.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.pictures.pixel_formats import TURNED

_ROTATIONS = {
    3: cv2.ROTATE_180,
    6: cv2.ROTATE_90_CLOCKWISE,
    8: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_LEFT_RIGHT, _UPSIDE_DOWN = 1, 0
_SIGN_CHANGED = (4, 7)
"""The OpenCV from which on the angle is clockwise."""


class Turner:
    """Turns pictures upright.

    Args:
        orientation: how they stand, by Exif's number.
    """

    def __init__(self, orientation: int) -> None:
        self._orientation = orientation
        self._pool = FramePool()

    def upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture (H, W, 3) as it is meant to be seen."""
        if self._orientation == 1:
            return picture
        height, width = picture.shape[:2]
        size = (width, height) if self._orientation in TURNED else (height, width)
        turned = self._pool.take((*size, 3))
        if self._orientation in _ROTATIONS:
            cv2.rotate(picture, _ROTATIONS[self._orientation], turned)
        elif self._orientation in TURNED:
            cv2.transpose(picture, turned)
            if self._orientation == 7:
                cv2.rotate(turned, cv2.ROTATE_180, turned)
        else:
            cv2.flip(picture, _LEFT_RIGHT if self._orientation == 2 else _UPSIDE_DOWN, turned)
        return turned


def leave_as_stored(capture: cv2.VideoCapture) -> None:
    """Keep OpenCV from turning pictures, whatever its release does by itself."""
    if hasattr(cv2, "CAP_PROP_ORIENTATION_AUTO"):
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)


def reported_orientation(capture: cv2.VideoCapture) -> int:
    """Return how the pictures stand as OpenCV understands it, by Exif's number.

    It knows no mirrored pictures, and no rotation in Matroska before 4.13.
    """
    if not hasattr(cv2, "CAP_PROP_ORIENTATION_META"):
        return 1
    angle = round(capture.get(cv2.CAP_PROP_ORIENTATION_META))
    release = tuple(int(part) for part in cv2.__version__.split(".")[:2])
    clockwise = angle if release >= _SIGN_CHANGED else -angle
    return {90: 6, 180: 3, 270: 8}.get(clockwise % 360, 1)
