"""The lines that work on boards prints, and one line on stderr that says what is going on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edgeinfer.device.cli.progress import status_line
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable
from edgeinfer.host.flashing.progress import RESUME
from edgeinfer.host.flashing.text import named_line


class BoardDisplay:
    """Prints the progress of the work on all boards.

    Args:
        hosts: the boards.
        show: shows the line that changes.
        quiet: print no lines that stay.
    """

    def __init__(self, hosts: tuple[str, ...], show: Callable[[str], None], *, quiet: bool) -> None:
        self._many = len(hosts) > 1
        self._show = show
        self._quiet = quiet
        self._lock = threading.Lock()
        self._doing: dict[str, str] = {}

    def of(self, host: str) -> _OneBoard:
        """Return the display of one board."""
        return _OneBoard(self, host)

    def say(self, host: str, text: str) -> None:
        """Print a line, with the board's name if there are several boards."""
        if self._quiet:
            return
        with self._lock:
            self._show("")
            say(printable(f"{host}  {text}" if self._many else text))
            self._refresh()

    def show(self, host: str, text: str) -> None:
        """Show what is going on at one board, next to the other boards."""
        with self._lock:
            self._doing[host] = text
            self._refresh()

    def _refresh(self) -> None:
        doing = {host: text for host, text in self._doing.items() if text}
        if self._many:
            self._show(" | ".join(f"{host}: {text}" for host, text in doing.items()))
        else:
            self._show("".join(doing.values()))


class _OneBoard:
    """Prints the progress of the work on one board."""

    def __init__(self, display: BoardDisplay, host: str) -> None:
        self._display = display
        self._host = host

    def say(self, name: str, text: str) -> None:
        """Print a line with a short name in front."""
        self._display.say(self._host, named_line(name, text))

    def show(self, text: str) -> None:
        """Show what is going on."""
        self._display.show(self._host, text)


@contextmanager
def board_display(hosts: tuple[str, ...], *, quiet: bool) -> Iterator[BoardDisplay]:
    """Yield the display; if the work is stopped, print how to continue."""
    try:
        with status_line() as show:
            yield BoardDisplay(hosts, show, quiet=quiet)
    except KeyboardInterrupt:
        say(f"note: {RESUME}; a trial that has begun ends by itself", err=True)
        raise
