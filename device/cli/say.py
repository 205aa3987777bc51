"""What the program says to people: on a terminal broken between words, elsewhere as it is."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click

from edgeinfer.device.core.text.wrapping import COLUMNS, wrap_text


def say(text: str, *, err: bool = False, whole: bool = False) -> None:
    """Print a text of one or more lines.

    In a pipe or a file each line stays one line, for programs.

    Args:
        text: the text; names in it must be `printable`.
        err: print on stderr.
        whole: print each line as it is on a terminal too, as for JSON.
    """
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
