"""Pictures of which one is nearly a copy of the other, as groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.data.groups.near.find import Near, find_near
from edgeinfer.host.data.groups.near.sketch import (
    Bytes,
    Sketch,
    make_sketch,
    read_small,
    small_grey,
)

UNIFORM_CONTRAST = 4.0
"""Grey levels: a picture with a smaller standard deviation shows hardly anything, and looks like
others that do not either."""


def near_groups(paths: Sequence[str], *, progress: Progress, threads: int = 2) -> NDArray[np.int64]:
    """Return a number for each picture that is equal for near-duplicates, also for their copies.

    Args:
        paths: of the pictures.
        progress: reports each picture.
        threads: how many pictures are decoded at the same time.

    Raises:
        ImageError: a picture cannot be read.
    """
    progress.start("looking for near-duplicates", len(paths))
    shown: list[int] = []
    sketches: list[Sketch] = []
    for place, sketch in enumerate(ordered_map(_sketch, paths, threads=threads)):
        if sketch is not None:
            shown.append(place)
            sketches.append(sketch)
        progress.advance()

    def grey(index: int) -> Bytes:
        return small_grey(read_small(paths[shown[index]])[0])

    pairs = find_near(sketches, grey, progress=progress)
    places = [
        Near(first=shown[pair.first], second=shown[pair.second], likeness=pair.likeness)
        for pair in pairs
    ]
    return numbered(len(paths), places)


def numbered(count: int, near: Sequence[Near]) -> NDArray[np.int64]:
    """Return a number for each picture that is equal for copies, also for copies of copies.

    Args:
        count: how many pictures there are.
        near: which of them are near-duplicates.
    """
    group = list(range(count))

    def top(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for pair in near:
        group[top(pair.second)] = top(pair.first)
    return np.array([top(index) for index in range(count)], np.int64)


def _sketch(path: str) -> Sketch | None:
    """Return what is compared of a picture; None for one of a single colour."""
    grey = small_grey(read_small(path)[0])
    return make_sketch(grey) if float(grey.std()) >= UNIFORM_CONTRAST else None
