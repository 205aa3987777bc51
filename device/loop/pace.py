"""How often frames are answered at most."""

from __future__ import annotations

import threading
import time


class Pace:
    """Lets one turn begin in each interval; its rate can be set again at any time.

    Args:
        max_fps: turns a second; None for as many as there are.
    """

    def __init__(self, max_fps: float | None) -> None:
        self._max_fps = max_fps
        self._changed = threading.Event()
        self._ended = False
        self._last_s = time.monotonic() - self._interval_s()

    @property
    def max_fps(self) -> float | None:
        """Turns a second; None for as many as there are."""
        return self._max_fps

    @max_fps.setter
    def max_fps(self, max_fps: float | None) -> None:
        self._max_fps = max_fps
        self._changed.set()  # code that waits by the old rate waits again

    def end(self) -> None:
        """Let every turn begin without waiting."""
        self._ended = True
        self._changed.set()

    def wait(self) -> None:
        """Wait until one interval after the last turn, by the rate of now."""
        while True:
            self._changed.clear()
            interval_s, now_s = self._interval_s(), time.monotonic()
            if self._ended or self._last_s + interval_s <= now_s:
                # A loop that was late does not go faster afterwards.
                self._last_s = max(self._last_s + interval_s, now_s - interval_s)
                return
            self._changed.wait(self._last_s + interval_s - now_s)

    def _interval_s(self) -> float:
        return 0.0 if self._max_fps is None else 1.0 / self._max_fps
