"""SearchClock counts over restarts."""

from __future__ import annotations

import time

import pytest

from edgeinfer.host.search.clock import SearchClock


def test_it_goes_on_from_what_was_spent_before() -> None:
    kept: list[float] = []
    clock = SearchClock(limit_s=100, spent_s=40, keep=kept.append)
    time.sleep(0.02)
    assert 40.02 <= clock.spent_s < 60
    assert clock.left_s == pytest.approx(100 - clock.spent_s, abs=0.5)
    clock.keep()
    assert 40.02 <= kept[0] <= clock.spent_s


def test_it_writes_no_more_often_than_needed() -> None:
    kept: list[float] = []
    clock = SearchClock(limit_s=1, spent_s=0, keep=kept.append)
    for _ in range(100):
        clock.tick()
    assert kept == []


def test_nothing_is_left_after_the_limit() -> None:
    assert SearchClock(limit_s=10, spent_s=30, keep=lambda spent: None).left_s == 0
