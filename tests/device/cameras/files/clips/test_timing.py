from __future__ import annotations

import math
import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.files.clips.timing import Playback, Positions, plausible_fps
from tests.support.waiting import PATIENCE_S


def positions_of(
    told: list[float], fps: float | None = 25.0, longest_step_s: float = 3600.0
) -> list[float]:
    positions = Positions(fps, longest_step_s)
    return [round(positions.next(one), 6) for one in told]


def test_times_of_any_step_are_kept() -> None:
    assert positions_of([0, 0.01, 0.5, 600, 600.001]) == [0, 0.01, 0.5, 600, 600.001]


def test_the_first_frame_is_at_0() -> None:
    assert positions_of([5, 5.1, 5.3]) == [0, 0.1, 0.3]


@pytest.mark.parametrize(
    ("told", "positions"),
    [
        # What OpenCV reports of H.264 in AVI, of H.264 alone, of a time-lapse in Matroska, and of
        # JPEGs alone.
        ([0.08, 0.12, 0.16, 0, 0], [0, 0.04, 0.08, 0.12, 0.16]),
        ([0, 0, 0, 0], [0, 0.04, 0.08, 0.12]),
        ([0, -10, 0, 10], [0, 0.04, 10.04, 20.04]),
        ([-3.7e20, -3.7e20, -3.7e20], [0, 0.04, 0.08]),
        ([0, 1, math.nan, math.inf, 4], [0, 1, 1.04, 1.08, 5.08]),
    ],
)
def test_times_that_do_not_follow_are_an_interval_later(
    told: list[float], positions: list[float]
) -> None:
    assert positions_of(told) == positions


def test_the_interval_is_the_first_one_where_the_rate_is_unknown() -> None:
    assert positions_of([0, 0.5, 0, 0.5], fps=None) == [0, 0.5, 1, 1.5]
    assert positions_of([0, 0, 0], fps=None) == [0, round(1 / 30, 6), round(2 / 30, 6)]


def test_a_leap_is_not_waited_for() -> None:
    joined = [0, 0.04, 26 * 3600, 26 * 3600 + 0.04]
    assert positions_of(joined) == [0, 0.04, 0.08, 0.12]
    assert positions_of([0, 30, 60], longest_step_s=10) == [0, 0.04, 0.08]


@given(st.lists(st.floats(), max_size=30), st.none() | st.floats(0.1, 1000))
def test_positions_begin_at_0_and_grow_whatever_is_reported(told: list[float], fps: float) -> None:
    positions = Positions(fps)
    found = [positions.next(one) for one in told]
    assert found[:1] in ([], [0.0])
    assert all(math.isfinite(one) for one in found)
    assert all(before <= after for before, after in pairwise(found))


@pytest.mark.parametrize("fps", [0.1, 1.0, 29.97, 240.0, 1000.0])
def test_rates_of_real_files_are_believed(fps: float) -> None:
    assert plausible_fps(fps) == fps


@pytest.mark.parametrize("fps", [0.0, -1.0, 0.01, 90_000.0, math.nan, math.inf])
def test_rates_of_clocks_and_damaged_headers_are_not(fps: float) -> None:
    assert plausible_fps(fps) is None


class Clock:
    """A clock that waits set on, in place of the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        clock = SimpleNamespace(
            monotonic=lambda: self.now_s, monotonic_ns=lambda: round(self.now_s * 1e9)
        )
        monkeypatch.setattr("edgeinfer.device.cameras.files.clips.timing.time", clock)

    def playback(self) -> Playback:
        playback = Playback()
        playback._interrupted = self  # type: ignore[assignment]
        return playback

    def wait(self, timeout_s: float) -> bool:
        self.now_s += timeout_s
        return False


def test_frames_are_due_at_their_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    playback = clock.playback()
    due = [playback.wait(position_s) for position_s in (0, 0.001, 0.5, 10.5, 10.533)]
    assert due == [round((1000 + at) * 1e9) for at in (0, 0.001, 0.5, 10.5, 10.533)]


def test_a_short_pause_is_made_up_for_and_a_long_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    playback = clock.playback()
    playback.wait(0)
    clock.now_s += 0.3
    playback.wait(0.1)
    assert clock.now_s == pytest.approx(1000.3)
    playback.wait(0.4)
    assert clock.now_s == pytest.approx(1000.4)
    clock.now_s += 10
    playback.wait(0.5)
    playback.wait(0.6)
    assert clock.now_s == pytest.approx(1010.5)


def test_a_wait_is_interrupted() -> None:
    playback = Playback()
    assert playback.wait(0) is not None
    told: list[int | None] = []
    waiting = threading.Thread(target=lambda: told.append(playback.wait(PATIENCE_S)))
    begin_s = time.monotonic()
    waiting.start()
    playback.interrupt()
    waiting.join()
    assert told == [None]
    assert time.monotonic() - begin_s < PATIENCE_S
