"""Which points are those of true things: of one class, and in the thing's box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def centres_of(boxes: Floats) -> Floats:
    """Return (things, 2) x and y of the centres of boxes (things, 4)."""
    centres: Floats = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centres


def found_things(
    points: Floats, classes: NDArray[np.int64], boxes: Floats, labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which points find a thing; each thing is found once.

    The first points choose first: of the things of their class whose boxes they are in, the one
    whose centre is nearest, measured by its sides. So what a point finds does not depend on those
    after it.

    Args:
        points: (points, 2) x and y, the surest first.
        classes: (points,).
        boxes: (things, 4) left, top, right, bottom.
        labels: (things,).
    """
    found, free = np.zeros(len(points), bool), np.ones(len(labels), bool)
    centres, half = centres_of(boxes), (boxes[:, 2:] - boxes[:, :2]) / 2
    for number, (point, kind) in enumerate(zip(points, classes, strict=True)):
        inside = ((point >= boxes[:, :2]) & (point <= boxes[:, 2:])).all(axis=1)
        there = np.flatnonzero(free & (labels == kind) & inside)
        if len(there):
            share = np.max(np.abs(point - centres[there]) / half[there], axis=1)
            free[there[int(share.argmin())]] = False
            found[number] = True
    return found
