"""Patterns of file names: `*_{value}` finds 4.2 in `0017_4.2.jpg`, `{group}_*` finds 0017."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from edgeinfer.device.core.errors import UsageError

_PART = re.compile(r"\{([^{}]*)\}|(\*)")
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d{1,3})?"
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class NamePattern:
    """A pattern of file names.

    Attributes:
        names: of the parts in braces, in their order.
        expression: what a name without its suffix must match.
        with_folders: whether it is of the path below the folder of pictures, not of the name alone.
    """

    names: tuple[str, ...]
    expression: re.Pattern[str]
    with_folders: bool

    def match(self, path: str) -> tuple[str, ...] | None:
        """Return the text of each part in braces, or None.

        Args:
            path: of a picture, from the folder of pictures.
        """
        stem = os.path.splitext(path)[0].replace(os.sep, "/")
        found = self.expression.fullmatch(stem if self.with_folders else stem.rpartition("/")[2])
        return None if found is None else found.groups()


def parse_pattern(text: str, option: str, *, numbers: bool) -> NamePattern:
    """Read a pattern: `*` is any text, and `{name}` what is wanted.

    Args:
        text: the pattern, without a file's suffix. With a `/` it is of the path from the folder of
            pictures on, else of the file's name alone.
        option: which option it is of, for errors.
        numbers: whether the parts in braces are numbers; else any text without a `/`.

    Raises:
        UsageError: it has no part in braces, or is not a pattern.

    >>> parse_pattern("*_{value}", "--name-pattern", numbers=True).match("010_0.1.jpg")
    ('0.1',)
    """

    def wrong(got: str, expected: str) -> UsageError:
        return UsageError(f"{option} {text!r}", got=got, expected=expected)

    if len(text) > MOST_CHARACTERS:
        raise wrong(f"is {len(text)} characters long", f"at most {MOST_CHARACTERS}")
    names: list[str] = []
    expression, place = "", 0
    for part in _PART.finditer(text):
        expression += re.escape(text[place : part.start()])
        place = part.end()
        if part[2]:
            expression += "[^/]*?"
            continue
        name = part[1].strip()
        if not name or name in names:
            raise wrong(f"has {part[0]!r}" + (" twice" if name else ""), "a name in the braces")
        names.append(name)
        expression += f"({_NUMBER})" if numbers else "([^/]+?)"
    rest = text[place:]
    if "{" in rest or "}" in rest or not names:
        example = "*_{value}" if numbers else "{group}_*"
        raise wrong(
            "has no part in braces" if not names else "has a single brace", f"such as {example}"
        )
    return NamePattern(tuple(names), re.compile(expression + re.escape(rest)), "/" in text)


def suggested_pattern(stems: list[str]) -> str | None:
    """Return a pattern that finds a number in nearly all names without suffixes, or None.

    Numbers with decimals are values; those without may as well count pictures.
    """
    for pattern in ("*_{value}", "*-{value}", "{value}_*", "{value}"):
        parsed = parse_pattern(pattern, "", numbers=True)
        found = [parsed.match(f"{stem}.x") for stem in stems]
        values = [match[0] for match in found if match]
        if len(values) >= 0.9 * len(stems) and any(
            "." in value or "," in value for value in values
        ):
            return pattern
    return None
