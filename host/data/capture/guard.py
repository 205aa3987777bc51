"""Which pictures are worth saving: no equal one was saved, it is sharp, and something changed."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data.folders.check import pixel_digest

GRID = (64, 48)
"""Pictures are compared as this many cells, (columns, rows)."""
CELL_CHANGED = 20
"""A cell whose grey differs by more of 255 is another one; noise and slow light stay below."""
USUAL_OF = 50
"""How many of the last pictures say what is usual."""
_SHARPNESS_WIDTH = 320

Cells = NDArray[np.int16]


class Guard:
    """Remembers what was saved.

    Args:
        change: see `CaptureSettings`, like the other.
        min_sharpness: see there.
    """

    def __init__(self, change: float | None, min_sharpness: float | None) -> None:
        self._change = change
        self._min_sharpness = min_sharpness
        self._digests: set[bytes] = set()
        self._last: Cells | None = None
        self._usual: deque[float] = deque(maxlen=USUAL_OF)

    @property
    def looks_at_all(self) -> bool:
        """Whether it has to see every frame."""
        return self._change is not None or self._min_sharpness is not None

    def changed(self, pixels: Pixels) -> bool:
        """Return whether a picture differs enough from the one that was saved last."""
        if self._change is None or self._last is None:
            return True
        return changed_share(self._last, cells(pixels)) >= self._change

    def sharp(self, pixels: Pixels) -> bool:
        """Return whether a picture is as sharp as is wanted; count it to what is usual."""
        if self._min_sharpness is None:
            return True
        value = sharpness(pixels)
        self._usual.append(value)
        return value >= self._min_sharpness * float(np.median(self._usual))

    def is_new(self, pixels: Pixels) -> bool:
        """Return whether no equal picture was saved."""
        return pixel_digest(pixels) not in self._digests

    def saved(self, pixels: Pixels) -> None:
        """Remember a picture that was saved."""
        self._digests.add(pixel_digest(pixels))
        if self._change is not None:
            self._last = cells(pixels)

    def forget(self, pixels_digest: bytes) -> None:
        """Forget a picture that was taken back."""
        self._digests.discard(pixels_digest)


def cells(pixels: Pixels) -> Cells:
    """Return the grey of a picture's cells, (rows, columns)."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, GRID, interpolation=cv2.INTER_AREA), np.int16)


def changed_share(before: Cells, after: Cells) -> float:
    """Return the share of the cells that differ, 0 to 1."""
    return float(np.mean(np.abs(after - before) > CELL_CHANGED))


def sharpness(pixels: Pixels) -> float:
    """Return how sharp a picture is: the variance of its second derivative, at one width for all.

    It tells pictures of one scene apart, not one scene from another.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if width > _SHARPNESS_WIDTH:
        size = _SHARPNESS_WIDTH, max(1, round(height * _SHARPNESS_WIDTH / width))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
