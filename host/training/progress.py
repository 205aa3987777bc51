"""What a person sees while a model trains."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from edgeinfer.converters.tensorflow.worker.job import Reporter

if TYPE_CHECKING:  # Python 3.10, on which a folder can be checked, has it not
    from typing import Self


class Progress(Protocol):
    """Told about the work's steps; a context manager."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, also on an error."""

    def start(self, title: str, total: int) -> None:
        """Begin a piece of work of `total` steps; the one before it is over."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps of the piece of work; `note` is a short figure beside the bar."""

    def say(self, line: str) -> None:
        """Leave a line that stays."""


class _NothingToClose:
    """What begins and ends without a step of its own."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""


class LineProgress(_NothingToClose):
    """For logs and pipes: one line at each beginning and for each epoch, no bar."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def start(self, title: str, total: int) -> None:
        """Print the title."""
        self.say(title)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Print nothing."""

    def say(self, line: str) -> None:
        """Print the line."""
        print(line, file=self._stream, flush=True)


class Relay(_NothingToClose):
    """Passes on what it is told, and calls a function each time.

    Args:
        reporter: who is told.
        tick: what is called.
    """

    def __init__(self, reporter: Reporter, tick: Callable[[], None] = lambda: None) -> None:
        self._reporter, self._tick = reporter, tick

    def start(self, title: str, total: int) -> None:
        """Pass it on."""
        self._tick()
        self._reporter.start(title, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Pass it on."""
        self._tick()
        self._reporter.advance(steps, note)

    def say(self, line: str) -> None:
        """Pass it on."""
        self._tick()
        self._reporter.say(line)


class BarProgress:
    """For a terminal: a bar on standard error with the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None
        self._shown = 0.0

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def start(self, title: str, total: int) -> None:
        """Begin a new bar."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(title, total=total, note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        if self._task is None:
            return
        # A tiny network makes a thousand steps a second; formatting notes for each costs time.
        now = time.monotonic()
        if note and now - self._shown > 0.2:
            self._shown = now
            self._bar.update(self._task, advance=steps, note=note)
        else:
            self._bar.update(self._task, advance=steps)

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        self._bar.console.print(line, markup=False, highlight=False)


def make_progress() -> Progress:
    """Return a bar where standard error is a terminal, else lines."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()
