"""Objects that several frames agree on: what is in one frame only is left out, what is absent in
one frame stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_OVERLAP = 0.3
"""Intersection over union from which two boxes of a class are one object a frame later."""


class Objects(NamedTuple):
    """The objects of a frame, the surest first.

    Attributes:
        boxes: (objects, 4) float64: left, top, right, bottom.
        classes: (objects,) int64.
        scores: (objects,) float64.
    """

    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass
class _Object:
    """An object through the frames: its last box, the frame and place among that frame's objects
    where it is from, and its score in each frame that has it."""

    label: int
    box: NDArray[np.float64]
    last: int
    place: int
    scores: list[float] = field(default_factory=list)


def consensus(frames: Sequence[Objects]) -> Objects:
    """Return the objects that are in more than half of some frames.

    Each has its latest box, so that no box trails what moves, and the mean of its scores. An object
    is the same as one before where the class is the same and the boxes overlap by
    `LEAST_OVERLAP`; the surest objects choose first.

    Args:
        frames: the oldest first, of pictures of one size.
    """
    return agreement(frames)[0]


def agreement(frames: Sequence[Objects]) -> tuple[Objects, list[tuple[int, int]]]:
    """Return the same objects, and for each the frame and the place there that its box is from."""
    objects: list[_Object] = []
    for number, frame in enumerate(frames):
        for place, (box, label, score) in enumerate(zip(*frame, strict=True)):
            free = [one for one in objects if one.label == label and one.last < number]
            overlaps = [overlap(one.box, box) for one in free]
            if overlaps and max(overlaps) >= LEAST_OVERLAP:
                found = free[int(np.argmax(overlaps))]
            else:
                found = _Object(label=int(label), box=box, last=number, place=place)
                objects.append(found)
            found.box, found.last, found.place = box, number, place
            found.scores.append(float(score))
    kept = [one for one in objects if 2 * len(one.scores) > len(frames)]
    kept.sort(key=lambda one: -np.mean(one.scores))
    agreed = Objects(
        boxes=np.array([one.box for one in kept], np.float64).reshape(-1, 4),
        classes=np.array([one.label for one in kept], np.int64),
        scores=np.array([np.mean(one.scores) for one in kept], np.float64),
    )
    return agreed, [(one.last, one.place) for one in kept]


def overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the intersection over union of two boxes (left, top, right, bottom), 0 to 1.

    >>> overlap(np.array([0.0, 0, 2, 2]), np.array([1.0, 0, 3, 2])) == 1 / 3
    True
    """
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    both = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])) - shared
    return shared / both if both > 0 else 0.0
