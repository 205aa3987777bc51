"""Lines that fit a terminal: broken between words, never inside one."""

from __future__ import annotations

import re
import unicodedata

COLUMNS = 80
"""Columns of a terminal whose width is not known."""

_WORDS = re.compile(r" +|[^ ]+")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_COLUMN_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_COMMAND = "next: "
_JOINT = " \\"


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; wide characters take two.

    >>> columns("cat"), columns("\u732b")
    (3, 2)
    """
    if text.isascii() and "\x1b" not in text:
        return len(text)
    shown = _STYLE.sub("", text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in shown
    )


def wrap(line: str, width: int = COLUMNS, indent: str | None = None) -> list[str]:
    """Return a line as several of at most `width` columns, broken only at spaces.

    A word that is longer than that, such as a path, stays whole on a separate line. A command
    after `next: ` is broken as a shell takes it, with a backslash.

    Args:
        line: the line. Its own spaces stay, so that columns remain aligned.
        width: the columns of the terminal.
        indent: of the lines after the first; by default below the line's last column if it has
            several, else two more than the line's own.

    >>> wrap("error: cats.jpg: cannot be read", 20)
    ['error: cats.jpg:', '  cannot be read']
    """
    if columns(line) <= width:
        return [line]
    margin = _margin(line, width) if indent is None else indent
    joint = _JOINT if line.startswith(_COMMAND) else ""
    room = width - len(joint)
    lines: list[str] = []
    current, gap = "", ""
    for part in _WORDS.findall(line):
        if part.isspace():
            gap = part
            continue
        if not current.strip():
            current += gap + part if not lines else part
        elif columns(current) + len(gap) + columns(part) <= room:
            current += gap + part
        else:
            lines.append(current + joint)
            # A path is not broken by the margin either.
            current = margin + part if columns(margin) + columns(part) <= room else part
        gap = ""
    return [*lines, current]


def wrap_text(text: str, width: int = COLUMNS) -> str:
    """Return a text of several lines with each wrapped; see `wrap`."""
    return "\n".join(part for line in text.split("\n") for part in wrap(line, width))


def cut(text: str, width: int) -> str:
    """Return the start of a text in one line of at most `width` columns, whole words only.

    >>> cut("reading the pictures of cats", 20)
    'reading the ...'
    """
    if columns(text) <= width:
        return text
    kept = text
    while kept and columns(kept) > width - 4:
        kept = kept.rpartition(" ")[0].rstrip()
    if kept:
        return f"{kept} ..."
    while columns(text) > max(width - 3, 0):
        text = text[:-1]
    return f"{text}..."[: max(width, 0)]


def _margin(line: str, width: int) -> str:
    """Return the indent of a broken line's rest: below its last column, if that leaves room."""
    starts = [gap.end() for gap in _COLUMN_GAP.finditer(line)]
    fitting = [columns(line[:start]) for start in starts]
    fitting = [start for start in fitting if start <= width * 2 // 3]
    if fitting:
        return " " * fitting[-1]
    return " " * (2 + len(line) - len(line.lstrip(" ")))
