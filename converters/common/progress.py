"""Progress of a command's steps: a bar on a terminal, a line a step elsewhere."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

Step = Callable[[str], Progress]
"""Announces a step by its name and returns what to tell its progress to."""


@contextmanager
def step_display(stream: TextIO) -> Iterator[Step]:
    """Yield a function that announces a step and returns its progress callback.

    Args:
        stream: where to; a bar is drawn only where it is a terminal, and not by the base install,
            which lacks what draws it.
    """
    if not stream.isatty() or importlib.util.find_spec("rich") is None:

        def plain(name: str) -> Progress:
            stream.write(f"{name} ...\n")
            stream.flush()
            return lambda done, total: None

        yield plain
        return

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    bars = Bars(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=stream),
    )
    last: TaskID | None = None

    def finish() -> None:
        if last is not None:
            total = bars.tasks[last].total or 1
            bars.update(last, total=total, completed=total)

    def draw(name: str) -> Progress:
        nonlocal last
        finish()
        task = last = bars.add_task(name, total=None)
        return lambda done, total: bars.update(task, completed=done, total=total)

    with bars:
        yield draw
        finish()
