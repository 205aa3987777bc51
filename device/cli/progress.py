"""One line on stderr that says what a long command is doing, if stderr is a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edgeinfer.device.core.errors import printable

_CLEAR_TO_END = "\x1b[K"
"""Clears the rest of a terminal's line; the loop's outputs have it too, but import numpy."""


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a text in place of the one before; clear the line at the end."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return

    def show(text: str) -> None:
        # A line as wide as the terminal would wrap, and could not be rewritten.
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{printable(text)[:width]}{_CLEAR_TO_END}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        show("")
