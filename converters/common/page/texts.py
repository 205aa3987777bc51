"""Text from anywhere, safe in a page."""

from __future__ import annotations

import unicodedata


def plain(text: object) -> str:
    r"""Return text in which what is not a character is shown as a number.

    File names and labels may hold anything, also bytes that are not UTF-8.

    >>> plain("a\x07b\udcff")
    'a\\x07b\\udcff'
    """
    return "".join(
        ascii(char)[1:-1] if unicodedata.category(char) in {"Cc", "Cs"} else char
        for char in str(text)
    )


def isolated(text: str) -> str:
    """Return a name within a sentence, separate from it where it is written from the right."""
    return f"\u2068{text}\u2069"
