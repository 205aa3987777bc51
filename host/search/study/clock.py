"""How long a search has worked, in all its starts together."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgeinfer.converters.common.progress import Progress

_EVERY_S = 2.0
"""At most this much is lost when the process is killed."""


class SearchClock:
    """Counts the seconds of this start and adds those of earlier starts.

    Args:
        limit_s: of all starts together, seconds.
        spent_s: before this start.
        keep: saves the time so far.
    """

    def __init__(self, *, limit_s: float, spent_s: float, keep: Callable[[float], None]) -> None:
        self.limit_s = limit_s
        self._before, self._keep = spent_s, keep
        self._started = time.monotonic()
        self._kept = self._started

    @property
    def spent_s(self) -> float:
        """Seconds so far."""
        return self._before + time.monotonic() - self._started

    @property
    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.limit_s - self.spent_s)

    def tick(self) -> None:
        """Save it, unless that was done a moment ago."""
        if time.monotonic() - self._kept >= _EVERY_S:
            self.keep()

    def keep(self) -> None:
        """Save it."""
        self._keep(self.spent_s)
        self._kept = time.monotonic()


class Ticking:
    """Passes on progress, and updates the clock each time.

    Args:
        progress: receives the progress.
        clock: the search's.
    """

    def __init__(self, progress: Progress, clock: SearchClock) -> None:
        self._progress, self._clock = progress, clock

    def start(self, title: str, total: int | None = None) -> None:
        """Pass it on."""
        self._clock.tick()
        self._progress.start(title, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Pass it on."""
        self._clock.tick()
        self._progress.advance(steps, note)

    def say(self, line: str) -> None:
        """Pass it on."""
        self._clock.tick()
        self._progress.say(line)
