"""Budget: what is allowed, and by how much it is broken."""

from __future__ import annotations

import math
from typing import Any

import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.search.budget import Budget


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({}, "no limit"),
        ({"accuracy_points": -0.1}, "--budget-accuracy"),
        ({"accuracy_points": math.nan}, "--budget-accuracy"),
        ({"invoke_ms": 0.0}, "--budget-ms"),
        ({"size_kb": math.inf}, "--budget-kb"),
    ],
)
def test_impossible_limits_are_refused(limits: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Budget(**limits)


def test_the_floor_is_below_the_float_model() -> None:
    assert Budget(accuracy_points=1.5).floor(0.9) == pytest.approx(0.885)
    assert Budget(accuracy_points=0).floor(0.9) == 0.9
    assert Budget(size_kb=10).floor(0.9) is None


def test_only_what_is_limited_and_known_can_be_broken() -> None:
    both = Budget(accuracy_points=1, invoke_ms=2.0)
    assert both.excess(float_accuracy=0.9, invoke_ms=3.0) == {"ms": 0.5}
    parts = both.excess(float_accuracy=0.9, accuracy=0.87, invoke_ms=1.0, size_bytes=10**9)
    assert parts == {"accuracy": pytest.approx(0.02), "ms": -0.5}
    assert Budget(size_kb=100).excess(float_accuracy=0.9, size_bytes=150_000) == {"kb": 0.5}


def test_a_limit_that_is_met_exactly_is_kept() -> None:
    # 0.1 and 0.97 - 0.01 are not exact in binary.
    parts = Budget(accuracy_points=1, invoke_ms=0.1).excess(
        float_accuracy=0.97, accuracy=0.96, invoke_ms=0.1
    )
    assert all(part <= 0 for part in parts.values())


def test_an_accuracy_budget_asks_for_the_fastest() -> None:
    assert Budget(accuracy_points=1, size_kb=10).wants_fastest
    assert not Budget(size_kb=10).wants_fastest
    assert (
        Budget(accuracy_points=1).text() == "the fastest with at most 1 point below the float model"
    )
    assert Budget(invoke_ms=3.5, size_kb=150).text() == (
        "the most accurate with at most 3.5 ms, at most 150 kB"
    )
