"""Which objects of two sets are the same: of one class, and in one place."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.consensus import overlap

Things: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Boxes (objects, 4), and the numbers of their classes (objects,)."""

LEAST_OVERLAP = 0.5
"""Intersection over union from which two boxes of a class are the same object, as in PASCAL VOC
(M. Everingham et al., "The PASCAL Visual Object Classes Challenge", 2010)."""


def paired(first: Things, second: Things, *, least: float = LEAST_OVERLAP) -> int:
    """Return how many objects of one set are in the other; each counts once.

    The first ones choose first, the one of their class that overlaps most.

    Args:
        first: the surest object first.
        second: the others.
        least: intersection over union from which two are the same.
    """
    free, found = list(range(len(second[1]))), 0
    for box, label in zip(*first, strict=True):
        rivals = [place for place in free if second[1][place] == label]
        overlaps = [overlap(box, second[0][place]) for place in rivals]
        if overlaps and max(overlaps) >= least:
            free.remove(rivals[int(np.argmax(overlaps))])
            found += 1
    return found
