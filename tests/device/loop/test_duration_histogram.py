from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.loop.duration_histogram import DurationHistogram


@given(
    st.lists(st.floats(1e-3, 1e8), min_size=1, max_size=300),
    st.floats(0, 100),
)
def test_percentile_is_the_nearest_rank_within_half_a_percent(
    durations: list[float], percent: float
) -> None:
    histogram = DurationHistogram()
    for duration in durations:
        histogram.add(duration)
    rank = max(1, math.ceil(len(durations) * percent / 100))
    exact = sorted(durations)[rank - 1]
    got = histogram.percentile(percent)
    assert got is not None
    # 0.5 % is the bucket's half width; a little more for a value on a bucket's rounded bound.
    assert abs(got - exact) <= 0.00501 * exact


def test_nothing_counted() -> None:
    assert DurationHistogram().percentile(50) is None


def test_what_lies_outside_counts_at_the_nearest_end() -> None:
    histogram = DurationHistogram()
    histogram.add(-1.0)
    histogram.add(1e12)
    low, high = histogram.percentile(1), histogram.percentile(100)
    assert low is not None
    assert high is not None
    assert low < 2e-3
    assert high > 9e8
