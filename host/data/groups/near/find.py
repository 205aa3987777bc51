"""All near-duplicates of a data set."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.data.groups.near.candidates import (
    TABLES,
    pairs_by_corners,
    pairs_by_hash,
)
from edgeinfer.host.data.groups.near.compare import (
    Likeness,
    compare,
    motion_of_corners,
    whole,
)
from edgeinfer.host.data.groups.near.sketch import Bytes, Sketch

_KEPT_PICTURES = 512
"""Grey copies that stay in memory while candidates are compared."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """Two pictures that are near-duplicates.

    Attributes:
        first: its index; the smaller one.
        second: the other's.
        likeness: how similar they are.
    """

    first: int
    second: int
    likeness: Likeness


def find_near(
    sketches: Sequence[Sketch], grey: Callable[[int], Bytes], *, progress: Progress
) -> list[Near]:
    """Return the pairs of pictures of which one is a copy of the other, ordered.

    Args:
        sketches: of all pictures.
        grey: returns the `small_grey` of the picture of that index.
        progress: reports the steps.
    """
    if len(sketches) < 2:
        return []
    progress.start("comparing the pictures", len(sketches) + TABLES)
    signs = np.stack([sketch.signs for sketch in sketches])
    straight, mirrored = pairs_by_hash(signs, progress.advance)
    corners = pairs_by_corners(sketches, progress.advance)
    tried: dict[tuple[int, int], list[_Attempt]] = {}
    for pairs, mirror in ((straight, False), (mirrored, True)):
        for one, other in pairs.tolist():
            tried.setdefault((one, other), []).append(_Attempt(mirrored=mirror))
    for (one, other), similar in corners.items():
        motion = motion_of_corners(sketches[one], sketches[other], similar)
        if motion is not None:
            tried.setdefault((one, other), []).append(_Attempt(motion=motion))
    progress.start("comparing those that may be copies", len(tried))
    kept = functools.lru_cache(_KEPT_PICTURES)(grey)
    found = []
    for (one, other), attempts in sorted(tried.items()):
        likeness = _best(kept(one), kept(other), attempts)
        if likeness is not None:
            found.append(Near(first=one, second=other, likeness=likeness))
        progress.advance()
    return found


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """Where a picture may be in another: all of it, or where corners say."""

    motion: NDArray[np.float64] | None = None
    mirrored: bool = False


def _best(first: Bytes, second: Bytes, attempts: Sequence[_Attempt]) -> Likeness | None:
    best: Likeness | None = None
    for attempt in attempts:
        motion = whole(first, second) if attempt.motion is None else attempt.motion
        if attempt.mirrored:
            flipped = np.ascontiguousarray(first[:, ::-1])
            likeness = compare(flipped, second, motion)
            likeness = likeness and replace(likeness, mirrored=True)
        else:
            likeness = compare(first, second, motion)
        if likeness is not None and (best is None or likeness.correlation > best.correlation):
            best = likeness
    return best
