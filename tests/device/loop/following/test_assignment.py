"""The pairs with the largest sum, against trying all of them."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from edgeinfer.device.loop.following.assignment import best_pairs

LIKENESS = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=5),
    elements=st.floats(-1, 1).map(lambda value: round(value, 2)),
)


@given(LIKENESS, st.sampled_from([-1.0, -0.3, 0.0, 0.4]))
def test_no_other_pairs_have_a_larger_sum(likeness: NDArray[np.float64], least: float) -> None:
    pairs = best_pairs(likeness, least)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(likeness[pair] > least for pair in pairs)
    gain = np.maximum(likeness - least, 0)
    if gain.shape[0] > gain.shape[1]:
        gain = gain.T
    rows, columns = gain.shape
    best = max(
        sum(gain[row, column] for row, column in enumerate(order))
        for order in itertools.permutations(range(columns), rows)
    )
    assert np.isclose(sum(likeness[pair] - least for pair in pairs), best)


def test_nothing_has_no_pairs() -> None:
    assert best_pairs(np.zeros((0, 3)), 0.0) == []
    assert best_pairs(np.zeros((3, 0)), 0.0) == []
