"""Which pictures of a stream count as new, with a stand-in for OpenCV's capture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import pytest

from edgeinfer.device.cameras.network.live import live_pictures
from edgeinfer.device.cameras.network.live.live_pictures import MAX_LATE_S, LivePictures
from edgeinfer.device.core.errors import CameraError

LIMIT_S = 5.0
STEP_MS = 40.0

Stream = Sequence[tuple[float, float]]
"""(time until it comes in seconds, time stamp in milliseconds) of each picture; then the end."""
Open = Callable[..., LivePictures]


class Clock:
    """Time that passes only while a picture is waited for."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(1e9 * self.now_s)

    def thread_time_ns(self) -> int:
        return 0


class Capture:
    """Gives the pictures of a stream."""

    def __init__(self, clock: Clock, stream: Stream, codec: str) -> None:
        self._clock = clock
        self._codec = codec
        self._stream = list(stream)
        self._stamp_ms = 0.0

    def grab(self) -> bool:
        if not self._stream:
            return False
        wait_s, self._stamp_ms = self._stream.pop(0)
        self._clock.now_s += wait_s
        return True

    def get(self, what: int) -> float:
        if what == cv2.CAP_PROP_POS_MSEC:
            return self._stamp_ms
        if what == cv2.CAP_PROP_FOURCC:
            return float(cv2.VideoWriter.fourcc(*self._codec))
        return 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(live_pictures, "time", clock)
    return clock


@pytest.fixture
def pictures(clock: Clock) -> Open:
    def pictures(stream: Stream, scheme: str = "rtsp", codec: str = "MJPG") -> LivePictures:
        capture: Any = Capture(clock, stream, codec)
        return LivePictures(capture, scheme, "camera", LIMIT_S)

    return pictures


def paced(begin: int, count: int) -> list[tuple[float, float]]:
    return [(STEP_MS / 1000, STEP_MS * number) for number in range(begin, begin + count)]


def ages_s(live: LivePictures, clock: Clock, count: int) -> list[float]:
    captured_ns = [(live.grab(), clock.monotonic_ns()) for _ in range(count)]
    return [(now_ns - then_ns) / 1e9 for then_ns, now_ns in captured_ns]


def grab_all(live: LivePictures) -> None:
    while live.grab():
        pass


def test_backlog_is_dropped_and_counted(clock: Clock, pictures: Open) -> None:
    backlog = [(0.0, STEP_MS * number) for number in range(50)]
    live = pictures([*backlog, *paced(50, 40)])
    assert live.grab() == clock.monotonic_ns()
    assert 50 < live.dropped < 55


def test_what_a_stall_kept_is_dropped_and_as_old_as_it_is(clock: Clock, pictures: Open) -> None:
    kept = [(0.0, STEP_MS * number) for number in range(41, 141)]
    live = pictures([*paced(0, 40), (4.04, STEP_MS * 40), *kept, *paced(141, 40)])
    while clock.now_s < 1001.58:
        live.grab()
    before = live.dropped
    ages = ages_s(live, clock, 40)
    assert live.dropped - before == pytest.approx((4 - MAX_LATE_S) * 1000 / STEP_MS, abs=2)
    assert MAX_LATE_S - 0.05 < ages[0] <= MAX_LATE_S + 0.05
    assert ages[:25] == sorted(ages[:25], reverse=True)
    assert ages[-1] < 0.01


def test_silence_is_one_limit_even_if_the_decoder_gives_what_it_held(
    clock: Clock, pictures: Open
) -> None:
    live = pictures([*paced(0, 40), (LIMIT_S, STEP_MS * 40), *paced(41, 40)])
    with pytest.raises(CameraError, match=r"silent for 5 s"):
        grab_all(live)
    assert clock.now_s == pytest.approx(1000 + 40 * STEP_MS / 1000 + LIMIT_S)


def test_end_of_a_stream(pictures: Open) -> None:
    live = pictures(paced(0, 10))
    with pytest.raises(CameraError, match="ended"):
        grab_all(live)


def test_stream_that_is_late_all_the_time_is_opened_again(clock: Clock, pictures: Open) -> None:
    first_late = (MAX_LATE_S + 1, STEP_MS * 40)
    live = pictures([*paced(0, 40), first_late, *paced(41, 400)])
    with pytest.raises(CameraError, match=r"for 5 s only pictures that come 2\.0 s late"):
        grab_all(live)
    assert clock.now_s < 1000 + 40 * STEP_MS / 1000 + LIMIT_S + 1


def test_slow_stream_is_as_late_as_its_rate_makes_it(clock: Clock, pictures: Open) -> None:
    live = pictures([(2.0, 2000.0 * number) for number in range(20)], "srt", "h264")
    # Of such a stream the reader holds two pictures back.
    assert ages_s(live, clock, 8) == pytest.approx([4.0] * 8, abs=0.01)


def test_stream_without_pace_is_said_to_have_no_age(logged: list[str], pictures: Open) -> None:
    live = pictures([(0.005, STEP_MS * number) for number in range(3000)])
    for _ in range(10):
        live.grab()
    assert logged == [
        "camera: its pictures come faster than it captures them; how old they are is not known"
    ]


@pytest.mark.parametrize(("scheme", "stamps"), [("tcp", STEP_MS), ("http", 1.0), ("rtsp", 0.0)])
def test_picture_without_a_clock_is_as_old_as_the_one_before(
    clock: Clock, pictures: Open, scheme: str, stamps: float
) -> None:
    live = pictures([(0.01, stamps * number) for number in range(30)], scheme)
    live.grab()
    for _ in range(5):
        assert live.grab() == pytest.approx(clock.monotonic_ns() - 10_000_000)
