"""Progress of a command: a bar on a terminal, a line for each piece of work elsewhere."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from edgeinfer.device.cli.say import folded
from edgeinfer.device.core.text.wrapping import cut

if TYPE_CHECKING:
    from rich.progress import TaskID


_BEHIND_TITLE = 26
"""Columns for a short bar, the count and the time."""


class Progress(Protocol):
    """Shows how far the work is. Write a class with these three methods to show it yourself.

    Pass an object of it as `progress=` to `train`, `convert`, `evaluate`, `prune` or `optimize`.
    """

    def start(self, title: str, total: int | None = None) -> None:
        """Called when a piece of work begins; the one before has ended.

        Args:
            title: what is done, for people.
            total: the number of its steps. None if it is not known.
        """

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Called when steps of the piece of work are done.

        Args:
            steps: how many steps were done since the last call.
            note: a short text to show next to the count, such as the loss.
        """

    def say(self, line: str) -> None:
        """Called with a message, which should stay visible."""


class Silent:
    """Shows no progress: `edgeinfer.train(..., progress=edgeinfer.Silent())`."""

    def start(self, title: str, total: int | None = None) -> None:
        """Show nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Show nothing."""


class LineProgress(Silent):
    """For logs and pipes: a line for each piece of work, nothing that moves.

    Args:
        stream: where to write; by default standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def start(self, title: str, total: int | None = None) -> None:
        """Print the title."""
        self.say(f"{title} ...")

    def say(self, line: str) -> None:
        """Print the line."""
        print(folded(line, self._stream), file=self._stream, flush=True)


class _BarProgress:
    """For a terminal: a bar for the piece of work, with the time left."""

    def __init__(self, stream: TextIO, *, keep: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text

        left, spent = TimeRemainingColumn(), TimeElapsedColumn()

        class CountColumn(ProgressColumn):
            """The number of steps done and in total, where that is known."""

            def render(self, task: Task) -> Text:
                return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}")

        class TimeColumn(ProgressColumn):
            """The time left, where that can be known, else the time so far."""

            def render(self, task: Task) -> Text:
                return (spent if task.total is None else left).render(task)

        self._stream, self._keep = stream, keep
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            CountColumn(),
            TimeColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(file=stream),
            transient=True,
        )
        self._task: TaskID | None = None
        self._title, self._began_s, self._noted_s = "", 0.0, 0.0

    def start(self, title: str, total: int | None = None) -> None:
        """Begin a new bar."""
        self.end()
        self._title, self._began_s = title, time.monotonic()
        # rich would cut a long title inside a word, and leave out what is behind it.
        shown = cut(title, self._bar.console.width - _BEHIND_TITLE)
        self._task = self._bar.add_task(shown, total=total, note="")
        self._bar.start()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        if self._task is None:
            return
        # A tiny network makes a thousand steps a second; formatting notes for each costs time.
        now = time.monotonic()
        if note and now - self._noted_s > 0.2:
            self._noted_s = now
            self._bar.update(self._task, advance=steps, note=note)
        else:
            self._bar.update(self._task, advance=steps)

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        # Broken here: rich would break a long path in the middle.
        text = folded(line, self._stream)
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Remove the bar: its piece of work is done."""
        if self._task is None:
            return
        self._bar.remove_task(self._task)
        self._task = None
        if self._keep:
            self.say(f"{self._title}: {time.monotonic() - self._began_s:.1f} s")

    def close(self) -> None:
        """Remove the bar if there is still one."""
        self._bar.stop()


@contextmanager
def show_progress(stream: TextIO | None = None, *, keep: bool = False) -> Iterator[Progress]:
    """Show a person how far the block is.

    Args:
        stream: where to write, by default standard error. A bar is drawn only on a terminal,
            and not by the base install, which has no package to draw it.
        keep: whether a piece of work leaves a line with the time that it took in place of its bar.
    """
    stream = stream or sys.stderr
    if not stream.isatty() or importlib.util.find_spec("rich") is None:
        yield LineProgress(stream)
        return
    shown = _BarProgress(stream, keep=keep)
    try:
        yield shown
        shown.end()
    finally:
        shown.close()


@contextmanager
def shown_progress(progress: Progress | None, *, keep: bool = True) -> Iterator[Progress]:
    """Give a caller's progress, or where there is none one that is shown; see `show_progress`."""
    if progress is not None:
        yield progress
        return
    with show_progress(keep=keep) as shown:
        yield shown
