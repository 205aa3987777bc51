"""Pairs of pictures that may be copies, without comparing every pair finely.

Hashes are compared all with all, as a product of matrices: 100,000 pictures take seconds. Corners
are put into tables by some of their bits, so that similar ones meet in one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.host.data.groups.near.sketch import HASH_BITS, MIRROR_SIGNS, Sketch

Pairs = NDArray[np.int64]
"""(n, 2) the indices of two pictures, the smaller first."""

MAX_DIFFERENT_BITS = 12
"""Of the 63 of a hash."""

MAX_CORNER_BITS = 36
"""Of the 256 of a corner; two of different pictures differ in about 128."""

MIN_CORNERS = 4
"""Similar corners that make two pictures a candidate."""

TABLES, _TABLE_BITS = 20, 28
_MOST_IN_ENTRY = 16
"""Corners in one entry beyond which it stands for a common pattern, such as a plain edge."""

_ROWS, _COLUMNS = 1024, 16384

_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)

Done = Callable[[int], None]


def pairs_by_hash(signs: NDArray[np.int8], done: Done) -> tuple[Pairs, Pairs]:
    """Return the pairs with similar hashes, and those where one is mirrored.

    Args:
        signs: (n, 63) of all pictures.
        done: called with the number of pictures that were compared with all others.
    """
    wide = signs.astype(np.float32)
    mirrored = wide * MIRROR_SIGNS
    least = HASH_BITS - 2 * MAX_DIFFERENT_BITS
    found: list[list[Pairs]] = [[], []]
    for start in range(0, len(wide), _ROWS):
        rows = slice(start, start + _ROWS)
        for column in range(start, len(wide), _COLUMNS):
            columns = wide[column : column + _COLUMNS]
            for kept, block in zip(found, (wide[rows], mirrored[rows]), strict=True):
                row, other = np.nonzero(block @ columns.T >= least)
                pairs = np.stack([row + start, other + column], axis=1)
                kept.append(pairs[pairs[:, 0] < pairs[:, 1]])
        done(len(wide[rows]))
    straight, mirror = (np.concatenate([*kept, np.zeros((0, 2), np.int64)]) for kept in found)
    return straight, mirror


def pairs_by_corners(
    sketches: Sequence[Sketch], done: Done
) -> dict[tuple[int, int], NDArray[np.int64]]:
    """Return the pairs that share several corners, with their (n, 2) corners.

    Args:
        sketches: of all pictures.
        done: called with the number of tables that were searched.
    """
    counts = [len(sketch.corners) for sketch in sketches]
    if not sum(counts):
        return {}
    corners = np.concatenate([sketch.corners for sketch in sketches])
    owner = np.repeat(np.arange(len(sketches)), counts)
    first = np.concatenate([[0], np.cumsum(counts)])
    similar = []
    for bits in _tables():
        for left, right in _meeting(_keys(corners, bits)):
            apart = owner[left] != owner[right]
            left, right = left[apart], right[apart]
            close = _distance(corners[left], corners[right]) <= MAX_CORNER_BITS
            left, right = left[close], right[close]
            # The same two corners meet in several tables.
            smaller, larger = np.minimum(left, right), np.maximum(left, right)
            similar.append(smaller * len(corners) + larger)
        similar = [np.unique(np.concatenate(similar))] if similar else []
        done(1)
    if not similar:
        return {}
    left, right = np.divmod(similar[0], len(corners))
    return {
        pair: np.stack([left[rows] - first[pair[0]], right[rows] - first[pair[1]]], axis=1)
        for pair, rows in _by_pair(owner[left], owner[right])
    }


def _by_pair(
    left: NDArray[np.int64], right: NDArray[np.int64]
) -> Iterator[tuple[tuple[int, int], NDArray[np.int64]]]:
    """Yield the pairs of pictures that occur often enough, and where."""
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    edges = np.flatnonzero((np.diff(left) != 0) | (np.diff(right) != 0)) + 1
    starts = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(left)]])
    enough = ends - starts >= MIN_CORNERS
    for start, end in zip(starts[enough], ends[enough], strict=True):
        yield (int(left[start]), int(right[start])), order[start:end]


def _tables() -> NDArray[np.int64]:
    """Return (tables, bits): which bits of a corner each table uses; always the same."""
    random = np.random.default_rng(20)
    return np.stack([random.permutation(256)[:_TABLE_BITS] for _ in range(TABLES)])


def _keys(corners: NDArray[np.uint8], bits: NDArray[np.int64]) -> NDArray[np.int64]:
    keys = np.zeros(len(corners), np.int64)
    for bit in bits:
        keys = keys << 1 | (corners[:, bit // 8] >> (bit % 8) & 1)
    return keys


def _meeting(keys: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of indices with equal keys, without the entries that hold too many."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = np.flatnonzero(np.diff(ordered)) + 1
    starts = np.concatenate([[0], edges])
    sizes = np.diff(np.concatenate([starts, [len(ordered)]]))
    order = order[np.repeat(sizes <= _MOST_IN_ENTRY, sizes)]
    ordered = keys[order]
    for step in range(1, _MOST_IN_ENTRY):
        same = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(same):
            return
        yield order[same], order[same + step]


def _distance(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of different bits of each row."""
    distance: NDArray[np.int64] = _ONES[left ^ right].sum(axis=1, dtype=np.int64)
    return distance
