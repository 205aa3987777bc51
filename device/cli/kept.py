"""What Ctrl-C leaves behind: the error of a stopped command says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.device.core.errors import printable

_ATTRIBUTE = "edgeinfer_kept"


@contextmanager
def tell_kept(*places: Path | None) -> Iterator[None]:
    """Have the error say which of the places were written, if the block is stopped by Ctrl-C.

    Args:
        places: the files and folders that the block writes; None is left out. Each appears when it
            is whole, or not at all.
    """
    chosen = [place for place in places if place is not None]
    before = {place: _state(place) for place in chosen}

    def text() -> str:
        written = [place for place in chosen if _state(place) not in (None, before[place])]
        if not written:
            there = [place for place in chosen if before[place] is not None]
            as_before = f"; {_names(there)} as before" if there else ""
            return f"nothing was written{as_before}"
        return f"{_names(written)} kept"

    with tell_when_stopped(text):
        yield


@contextmanager
def tell_when_stopped(text: Callable[[], str]) -> Iterator[None]:
    """Have the error say a text, if the block is stopped by Ctrl-C.

    Args:
        text: returns what was kept, when it is stopped; empty leaves it to the block around.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        if not hasattr(stop, _ATTRIBUTE) and (said := text()):
            setattr(stop, _ATTRIBUTE, said)
        raise


def kept_text(stop: BaseException) -> str:
    """Return what a stopped command kept, as its last words; empty if it did not say."""
    for error in (stop, stop.__cause__):
        if text := getattr(error, _ATTRIBUTE, ""):
            return f"; {text}"
    return ""


def _state(place: Path) -> tuple[int, int] | None:
    """Return what changes when a place is written; None if there is nothing."""
    try:
        status = place.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _names(places: list[Path]) -> str:
    names = ", ".join(printable(str(place)) for place in places)
    return f"{names} {'is' if len(places) == 1 else 'are'}"
