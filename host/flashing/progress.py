"""Progress of the work on a board, for people: lines that stay, and one that is replaced."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from edgeinfer.device.core.errors import UnreachableError

RESUME = "what ran there keeps running; run it again, files that arrived are kept"

_BAR = 24


class Tell(Protocol):
    """Shows messages about one board."""

    def say(self, name: str, text: str) -> None:
        """Print a line that stays, under a short name."""

    def show(self, text: str) -> None:
        """Show what is going on, instead of what was shown before."""


class Steps:
    """The steps of the work on one board: shown, timed, and named if the connection is lost.

    Attributes:
        seconds: how long each took until now, by name.
    """

    def __init__(self, host: str, tell: Tell) -> None:
        self.seconds: dict[str, float] = {}
        self._host = host
        self._tell = tell

    @contextmanager
    def step(self, name: str, doing: str, *, shown: str = "") -> Iterator[None]:
        """Run the block as a step.

        Args:
            name: the name for its time.
            doing: what the step does, for the error of a lost connection.
            shown: the text to show meanwhile; by default the same.

        Raises:
            UnreachableError: the connection was lost in it; the error says what to do.
        """
        self._tell.show(shown or doing)
        with self.timed(name):
            try:
                yield
            except UnreachableError as error:
                told = f" ({error.reason})" if error.reason else ""
                raise UnreachableError(
                    self._host,
                    got=f"the connection was lost while {doing}{told}",
                    next_step=RESUME,
                ) from error

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the block's time to a step's."""
        begin = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - begin
            self.seconds[name] = self.seconds.get(name, 0.0) + took


def bar(done: int, total: int) -> str:
    """Return how far a transfer is: a bar and both amounts in megabytes."""
    filled = _BAR * done // max(total, 1)
    marks = "#" * filled + "-" * (_BAR - filled)
    return f"[{marks}] {done / 1e6:,.1f} of {total / 1e6:,.1f} MB"


def size_text(count: int) -> str:
    """Return bytes for people."""
    if count < 1_000_000:
        return f"{count / 1e3:,.0f} kB"
    return f"{count / 1e6:,.1f} MB"
