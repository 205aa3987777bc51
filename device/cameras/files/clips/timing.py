"""When the frames of a video are due: by the times that they have in the file."""

from __future__ import annotations

import math
import threading
import time

PLAUSIBLE_FPS = (0.0999, 1001.0)
"""A rate that a video file gives outside of this is a damaged header's, or a clock's."""
DEFAULT_FPS = 30.0

LONGEST_STEP_S = 3600.0
"""A leap in the times is that of a damaged file; a time-lapse may have some minutes."""
LONGEST_STREAM_STEP_S = 10.0
"""In transport streams the clock leaps where two recordings are joined. FFmpeg's limit."""

CATCH_UP_S = 0.5
"""A source that is late by more does not hurry any more: it goes on from there."""


def plausible_fps(fps: float) -> float | None:
    """Return a rate that OpenCV reports, in frames a second; None where it cannot be one."""
    return fps if math.isfinite(fps) and PLAUSIBLE_FPS[0] <= fps <= PLAUSIBLE_FPS[1] else None


class Positions:
    """Turns the times that a decoder reports into positions, which begin at 0 and only grow.

    A decoder may report nothing for the last frames, or the same for all; times may leap, and
    some begin anywhere. Where a time does not follow from the one before, the frame comes one
    interval later, and the times after it count from there.

    Args:
        fps: the file's rate, in frames a second; None where it is not known.
        longest_step_s: the most that may be between two frames.
    """

    def __init__(self, fps: float | None, longest_step_s: float = LONGEST_STEP_S) -> None:
        self._usual_s = None if fps is None else 1 / fps
        self._longest_step_s = longest_step_s
        self._shift_s = 0.0
        self._last_s: float | None = None

    @property
    def end_s(self) -> float:
        """When the frame ends whose position was given last, in seconds."""
        return 0.0 if self._last_s is None else self._last_s + (self._usual_s or 1 / DEFAULT_FPS)

    def next(self, told_s: float) -> float:
        """Return the position of the next frame, in seconds.

        Args:
            told_s: the time that the decoder reports for it.
        """
        told_s = told_s if math.isfinite(told_s) else 0.0
        if self._last_s is None:
            self._shift_s, self._last_s = -told_s, 0.0
            return 0.0
        step_s = told_s + self._shift_s - self._last_s
        if 0 < step_s <= self._longest_step_s:
            if self._usual_s is None:
                self._usual_s = step_s
            self._last_s = told_s + self._shift_s
        else:
            self._last_s += self._usual_s or 1 / DEFAULT_FPS
            self._shift_s = self._last_s - told_s
        return self._last_s


class Playback:
    """Releases frames when they are due, by the real clock, as a camera would.

    A frame that is a little late is released immediately, so that a short pause does not make the
    whole take longer; see `CATCH_UP_S`.
    """

    def __init__(self) -> None:
        self._begin_s: float | None = None
        self._interrupted = threading.Event()

    def wait(self, position_s: float) -> int | None:
        """Sleep until the frame at a position is due.

        Returns:
            `time.monotonic_ns()` then; None when interrupted.
        """
        now_s = time.monotonic()
        if self._begin_s is None or now_s > self._begin_s + position_s + CATCH_UP_S:
            self._begin_s = now_s - position_s
        early_s = self._begin_s + position_s - now_s
        if self._interrupted.wait(max(0.0, early_s)):
            return None
        return time.monotonic_ns()

    def interrupt(self) -> None:
        """End the wait, and every later one."""
        self._interrupted.set()
