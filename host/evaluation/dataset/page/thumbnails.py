"""Small JPEG pictures inside a page, within a budget of bytes."""

from __future__ import annotations

import base64
from collections.abc import Callable

import cv2
import numpy as np

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.outputs.drawing.draw import PictureCanvas
from edgeinfer.device.tasks.prediction import Canvas
from edgeinfer.host.data.groups.near.sketch import read_small

SIDE = 132
"""The longer side, pixels."""

BUDGET_BYTES = 4_200_000
"""Of all thumbnails of a page as text, so that the page stays below 5 MB."""

_QUALITY = 72


class Thumbnails:
    """Makes thumbnails until a page is full; the same picture counts once.

    Attributes:
        left_out: how many pictures did not fit.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._left = budget_bytes
        self.left_out = 0

    def make(self, path: str, draw: Callable[[Canvas], None] | None = None) -> str:
        """Return a picture as a `data:` address; empty if it cannot be read or the page is full.

        Args:
            path: of the picture.
            draw: draws on the small picture; None draws nothing.
        """
        if self._left <= 0:
            self.left_out += 1
            return ""
        try:
            pixels, _ = read_small(path)
        except ImageError:
            return ""
        height, width = pixels.shape[:2]
        scale = min(1.0, SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        canvas = PictureCanvas(np.ascontiguousarray(small[..., ::-1]))
        if draw is not None:
            draw(canvas)
        encoded = cv2.imencode(".jpg", canvas.picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        address = "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
        self._left -= len(address)
        if self._left < 0:
            self.left_out += 1
            return ""
        return address
