"""A thing without its surroundings: its pixels, and how much of each it covers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels

Cover = NDArray[np.float32]
"""The share of each pixel that a thing covers, (H, W) float32, 0 to 1."""

COVERED = 0.5
"""From this share on a pixel belongs to a thing: its box is around those."""


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """A thing without its surroundings.

    Attributes:
        pixels: (H, W, 3) uint8 RGB; outside of the thing they have the colours of its edge, so that
            no other colour comes in where it is scaled.
        cover: how much of each pixel is the thing.
    """

    pixels: Pixels
    cover: Cover

    @property
    def belongs(self) -> NDArray[np.bool_]:
        """Which pixels are the thing's, (H, W)."""
        return self.cover >= COVERED


def bounds(belongs: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the pixels that are True, right and bottom beyond them.

    Raises:
        ValueError: none is.
    """
    rows, columns = np.flatnonzero(belongs.any(axis=1)), np.flatnonzero(belongs.any(axis=0))
    if not len(rows):
        raise ValueError("no pixel belongs to the thing")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def trimmed(thing: Cutout) -> Cutout:
    """Return a thing without the rows and columns around it.

    Raises:
        ValueError: there is nothing of it.
    """
    left, top, right, bottom = bounds(thing.belongs)
    inside = np.s_[top:bottom, left:right]
    return Cutout(pixels=thing.pixels[inside], cover=thing.cover[inside])


def resized(thing: Cutout, side: int) -> Cutout:
    """Return a trimmed thing whose longer side is `side` pixels.

    Raises:
        ValueError: nothing of it is left at that size.
    """
    thing = trimmed(thing)
    height, width = thing.cover.shape
    factor = side / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(thing.pixels, size, interpolation=how)
    cover = cv2.resize(thing.cover, size, interpolation=how)
    return trimmed(Cutout(pixels=np.asarray(pixels, np.uint8), cover=np.asarray(cover, np.float32)))
