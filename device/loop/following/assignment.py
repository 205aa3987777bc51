"""Pairs of two sets with the largest sum: the assignment problem.

The method is that of R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense
and sparse linear assignment problems", 1987: each row in turn finds the cheapest way to a free
column, with prices that keep all earlier pairs cheapest. SciPy has it, and weighs 100 MB on a
board.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_pairs(likeness: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Return pairs (row, column), each row and column in one at most, with the largest sum.

    Args:
        likeness: (rows, columns), finite.
        least: pairs that are less like each other are none; what is above it counts.

    >>> best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.2)
    [(0, 1), (1, 0)]
    """
    if not likeness.size:
        return []
    turned = likeness.shape[0] > likeness.shape[1]
    gain = np.maximum((likeness.T if turned else likeness) - least, 0.0)
    pairs = []
    for row, column in enumerate(_cheapest(-gain)):
        if gain[row, column] > 0:
            pairs.append((int(column), row) if turned else (row, int(column)))
    return sorted(pairs)


def _cheapest(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the column of each row with the smallest sum; not more rows than columns."""
    rows, columns = cost.shape
    row_price, price = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for start in range(rows):
        reach = np.full(columns, np.inf)
        before = np.full(columns, -1)
        done = np.zeros(columns, bool)
        row, last, far = start, -1, 0.0
        while True:
            through = far + cost[row] - row_price[row] - price
            nearer = ~done & (through < reach)
            reach[nearer], before[nearer] = through[nearer], last
            last = int(np.argmin(np.where(done, np.inf, reach)))
            far, done[last] = float(reach[last]), True
            if owner[last] < 0:
                break
            row = int(owner[last])
        seen = np.flatnonzero(done & (reach < far))
        row_price[owner[seen]] += far - reach[seen]
        price[seen] -= far - reach[seen]
        row_price[start] += far
        while last >= 0:  # give each column on the way to the row before it
            earlier = int(before[last])
            owner[last] = start if earlier < 0 else owner[earlier]
            last = earlier
    found = np.empty(rows, np.int64)
    taken = np.flatnonzero(owner >= 0)
    found[owner[taken]] = taken
    return found
