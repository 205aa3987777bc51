from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.common.page.axis import Axis, axis_of, number_text

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_an_axis_shows_every_value_and_has_few_round_ticks(values: list[float]) -> None:
    axis = axis_of(values, "x")
    assert all(axis.low <= value <= axis.high for value in values)
    ticks = axis.ticks()
    assert len(ticks) <= 8
    room = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - room <= tick <= axis.high + room for tick in ticks)


def test_what_is_not_a_number_is_at_an_end_and_never_outside() -> None:
    axis = Axis(low=0.0, high=2.0, title="")
    assert [axis.share(value) for value in (math.inf, -math.inf, 5.0, -1.0)] == [1, 0, 1, 0]
    assert axis.share(1.0) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [[], [math.nan], [3.0, 3.0], [0.0], [1e300, 1e300]])
def test_values_without_a_range_have_an_axis(values: list[float]) -> None:
    axis = axis_of(values, "x")
    assert axis.low < axis.high
    assert axis.ticks()


def test_an_axis_from_zero_begins_there() -> None:
    assert axis_of([3.0, 8.0], "x", zero=True).low == 0.0


def test_numbers_are_short() -> None:
    assert [number_text(value) for value in (0.1 + 0.2, 1234567.0, -0.0, 1e-13, 0.00012)] == [
        *("0.3", "1,234,567", "0", "0", "0.00012")
    ]
