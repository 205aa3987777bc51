"""What the program says to people: on a terminal broken between words, elsewhere as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TextIO

from edgeinfer.device.core.text.wrapping import COLUMNS, wrap_text

_Clear = Callable[[], AbstractContextManager[None]]
_clears: list[_Clear] = []
"""Of the lines that are shown now and are rewritten in place: one at most, nearly always."""


def say(text: str, *, err: bool = False, whole: bool = False) -> None:
    """Print a text of one or more lines.

    In a pipe or a file each line stays one line, for programs.

    Args:
        text: the text; names in it must be `printable`.
        err: print on stderr.
        whole: print each line as it is on a terminal too, as for JSON.
    """
    import click  # here, since `import edgeinfer` reaches this module

    with line_cleared():
        click.echo(text if whole else folded(text, sys.stderr if err else sys.stdout), err=err)


def folded(text: str, stream: TextIO | None) -> str:
    """Return a text as it is to be written to a stream: wrapped if that is a terminal."""
    width = terminal_columns(stream)
    return text if width is None else wrap_text(text, width)


def terminal_columns(stream: TextIO | None) -> int | None:
    """Return the width of the terminal that a stream is; None if it is none."""
    try:
        if stream is None or not stream.isatty():
            return None
        # A terminal on a serial line tells no width.
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS
    except (OSError, ValueError):  # closed, or no file
        return None


@contextmanager
def shared_line(clear: _Clear) -> Iterator[None]:
    """Have a line that is rewritten in place cleared while lines that stay are printed.

    Args:
        clear: returns what keeps the line empty inside its `with` block.
    """
    _clears.append(clear)
    try:
        yield
    finally:
        _clears.remove(clear)


def line_cleared() -> AbstractContextManager[None]:
    """Return what keeps the line that is rewritten in place empty, to print lines that stay."""
    return _clears[-1]() if _clears else nullcontext()
