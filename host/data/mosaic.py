"""Pictures made of parts of four others: more things in one, smaller ones, in new surroundings.

Source: Bochkovskiy et al. 2020, "YOLOv4", which calls it mosaic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.host.data.augment import warped

PARTS = 4

_CUT = (0.35, 0.65)
"""The corner that the parts share is within these shares of each side."""

_SCALE = (0.45, 0.8)


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where a part is in a mosaic, and how its picture was moved into it.

    Attributes:
        left: first column, in pixels of the mosaic.
        top: first row.
        size: (width, height) in pixels.
        motion: (2, 3) float64: where a point (x, y, 1) of the picture is in the part.
    """

    left: int
    top: int
    size: tuple[int, int]
    motion: NDArray[np.float64]


def whole(size: tuple[int, int]) -> Part:
    """Return the part that shows a picture of (width, height) as it is."""
    return Part(left=0, top=0, size=size, motion=np.eye(2, 3))


def mosaic(
    images: NDArray[np.uint8], generator: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[Part, ...]]:
    """Return a picture of the size of its four, and where each is in it.

    Each part shows its picture at about half to four fifths of its size, as much of it as there is
    room for.

    Args:
        images: (4, H, W, C) uint8.
        generator: the same state gives the same result.

    Returns:
        (H, W, C) uint8, and the part of each picture, in the order of `images`.
    """
    height, width = images.shape[1:3]
    x, y = (round(side * generator.uniform(*_CUT)) for side in (width, height))
    made = np.empty_like(images[0])
    parts = []
    corners = ((0, 0), (x, 0), (0, y), (x, y))
    for image, (left, top) in zip(images, corners, strict=True):
        size = (width - x if left else x, height - y if top else y)
        motion = _motion((width, height), size, generator)
        made[top : top + size[1], left : left + size[0]] = warped(image, motion, size, "grey")
        parts.append(Part(left=left, top=top, size=size, motion=motion))
    return made, tuple(parts)


def _motion(
    whole_size: tuple[int, int], size: tuple[int, int], generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return a scale and a shift that leave no side of a part empty that its picture could fill."""
    scale = generator.uniform(*_SCALE)
    spare = np.array(size) - scale * np.array(whole_size)
    shift = spare * generator.random(2)
    return np.column_stack([scale * np.eye(2), shift])
