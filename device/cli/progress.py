"""One line on stderr that says what a long command is doing, if stderr is a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from edgeinfer.device.cli.say import shared_line, terminal_columns
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.text.wrapping import COLUMNS, cut

_CLEAR_TO_END = "\x1b[K"
"""Clears the rest of a terminal's line; the loop's outputs have it too, but import numpy."""
_EVERY_S = 1.0
_TOLD_FROM_S = 2
"""From when on the seconds are shown: before, nobody asks whether it hangs."""


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a text in place of the one before; clear the line at the end.

    The seconds since the text was first shown are counted behind it.
    """
    if terminal_columns(sys.stderr) is None:
        yield lambda text: None
        return
    line = _StatusLine(sys.stderr)
    with shared_line(line.clear):
        try:
            yield line.show
        finally:
            line.close()


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """Show what the block is doing, with the seconds that it takes."""
    with status_line() as show:
        show(doing)
        yield


class _StatusLine:
    """A line of a terminal that is written again and again."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._text, self._named, self._began_s = "", "", 0.0

    def show(self, text: str) -> None:
        """Show a text; an empty one clears the line."""
        with self._lock:
            self._text = printable(text)
            if text and self._text != self._named:
                self._named, self._began_s = self._text, time.monotonic()
            self._draw()
            if text and self._thread is None:
                self._thread = threading.Thread(target=self._count, name="status", daemon=True)
                self._thread.start()

    @contextmanager
    def clear(self) -> Iterator[None]:
        """Keep the line empty while the block prints lines that stay, then show it again."""
        with self._lock:
            shown, self._text = self._text, ""
            self._draw()
            try:
                yield
            finally:
                self._text = shown
                self._draw()

    def close(self) -> None:
        """Clear the line for good."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.show("")

    def _count(self) -> None:
        while not self._ended.wait(_EVERY_S):
            with self._lock:
                if self._text:
                    self._draw()

    def _draw(self) -> None:
        seconds = int(time.monotonic() - self._began_s)
        ending = f"  {seconds} s" if self._text and seconds >= _TOLD_FROM_S else ""
        # A line as wide as the terminal would be broken, and could not be rewritten.
        width = (terminal_columns(self._stream) or COLUMNS) - 1 - len(ending)
        self._stream.write(f"\r{cut(self._text, width)}{ending}{_CLEAR_TO_END}")
        self._stream.flush()
