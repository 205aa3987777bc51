"""SearchClock counts over restarts, and ticks with the work."""

from __future__ import annotations

import time

from edgeinfer.host.search.study.clock import SearchClock, Ticking
from tests.converters.common.listening import Listening


def test_it_goes_on_from_what_was_spent_before() -> None:
    kept: list[float] = []
    begun_s = time.monotonic()
    clock = SearchClock(limit_s=10_000, spent_s=40, keep=kept.append)
    time.sleep(0.02)
    spent_s, left_s = clock.spent_s, clock.left_s
    most_s = 40 + time.monotonic() - begun_s
    assert 40.02 <= spent_s <= most_s
    assert 10_000 - most_s <= left_s <= 10_000 - spent_s
    clock.keep()
    assert spent_s <= kept[0] <= clock.spent_s


def test_it_writes_only_as_often_as_needed() -> None:
    kept: list[float] = []
    clock = SearchClock(limit_s=1, spent_s=0, keep=kept.append)
    for _ in range(100):
        clock.tick()
    assert kept == []


def test_nothing_is_left_after_the_limit() -> None:
    assert SearchClock(limit_s=10, spent_s=30, keep=lambda spent: None).left_s == 0


def test_reports_tick_and_are_passed_on() -> None:
    ticks: list[None] = []

    class Clock(SearchClock):
        def tick(self) -> None:
            ticks.append(None)

    told = Listening()
    ticking = Ticking(told, Clock(limit_s=1, spent_s=0, keep=lambda spent: None))
    ticking.start("train", 3)
    ticking.advance(2, "loss 1")
    ticking.say("epoch 1")
    assert len(ticks) == 3
    assert told.told == ["train of 3", "epoch 1"]
    assert told.advances == [2]
