"""Turns wait for their rate, and no longer when it changes or the loop ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from edgeinfer.device.loop.pace import Pace


def test_without_a_rate_no_turn_waits() -> None:
    pace = Pace(None)
    for _ in range(1000):
        pace.wait()


def test_a_second_turn_waits_for_an_interval() -> None:
    pace, began_s = Pace(20.0), time.monotonic()
    for _ in range(4):
        pace.wait()
    assert time.monotonic() - began_s >= 3 / 20 - 1e-3


@pytest.mark.parametrize(
    "change",
    [lambda pace: setattr(pace, "max_fps", None), lambda pace: pace.end()],
    ids=["rate", "end"],
)
def test_who_waits_goes_on_when_it_changes(change: Callable[[Pace], None]) -> None:
    pace = Pace(1e-6)  # eleven days
    pace.wait()
    waiting = threading.Thread(target=pace.wait, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    change(pace)
    waiting.join(60)
    assert not waiting.is_alive()
