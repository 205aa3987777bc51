"""Help pages: options under headings, defaults shown, ranges in words."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from edgeinfer.device.core.text.wrapping import wrap

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

UNGROUPED_OPTIONS = 8
"""A command with at most this many options lists them under one heading."""

_GENERAL = "General"
"""The heading of `--help`, which click adds, and of options without a group."""

_FIRST_COLUMN = 30
"""The widest first column, in characters; longer options get a separate line."""


class Option(click.Option):
    """An option that shows its default, and knows its heading in the help page.

    Args:
        group: the heading.
        arguments: what `click.Option` takes. A `show_default` that is a text is shown as it is.
        settings: the same, by keyword.
    """

    def __init__(self, *arguments: Any, group: str = "", **settings: Any) -> None:
        self.group = group
        super().__init__(*arguments, **{"show_default": True, **settings})

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its explanation, with default and range in words."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        spelled, text = record
        if isinstance(self.show_default, str):
            # click adds round brackets to such a text.
            text = text.replace(f"default: ({self.show_default})", f"default: {self.show_default}")
        return spelled, range_in_words(text)


def option_group(heading: str) -> Callable[..., Callable[[Decorated], Decorated]]:
    """Return what stands for `click.option` for the options under one heading.

    >>> camera = option_group("Camera")
    >>> @click.command(cls=Command)
    ... @camera("--camera-fps", type=float, help="Frames per second.")
    ... def run(camera_fps: float | None) -> None: ...
    >>> run.params[0].group
    'Camera'
    """
    return functools.partial(click.option, cls=Option, group=heading)


option = option_group("")
"""Stands for `click.option` in commands with few options."""


class Command(click.Command):
    """A command whose help page has its options under headings, where there are many."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group after group, in the order in which the groups first occur."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        shown = [(each, record) for each in options if (record := each.get_help_record(ctx))]
        sections: dict[str, list[tuple[str, str]]] = {}
        for each, record in shown:
            heading = getattr(each, "group", "") or _GENERAL
            sections.setdefault(heading, []).append(record)
        if len(shown) <= UNGROUPED_OPTIONS:
            sections = {"Options": [record for _, record in shown]}
        write_sections(formatter, sections)


def write_sections(
    formatter: click.HelpFormatter, sections: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    """Write (term, explanation) rows under headings, with columns that are the same for all."""
    widths = [len(term) for rows in sections.values() for term, _ in rows]
    width = min(_FIRST_COLUMN, max(widths, default=0))
    for heading, rows in sections.items():
        with formatter.section(heading):
            for term, text in rows:
                formatter.write("\n".join(_row(term, text, width, formatter)) + "\n")


def _row(term: str, text: str, width: int, formatter: click.HelpFormatter) -> list[str]:
    """Return the lines of a row; unlike click's, they never break an option at its hyphen."""
    margin = " " * formatter.current_indent
    first = f"{margin}{term:{width}}  "
    rest = " " * len(f"{margin}{'':{width}}  ")
    lines = wrap(f"{rest}{text}".rstrip(), max(formatter.width, len(rest) + 20), rest)
    if len(term) > width or not text:
        return [first.rstrip(), *lines * bool(text)]
    return [first + lines[0].lstrip(), *lines[1:]]


_NUMBER = r"-?[\d.]+"
_RANGES = (
    (re.compile(rf"\b({_NUMBER})<=x<=({_NUMBER})"), r"\1 to \2"),
    (re.compile(rf"\b({_NUMBER})<x<=({_NUMBER})"), r"more than \1, at most \2"),
    (re.compile(rf"\bx>=({_NUMBER})"), r"\1 or more"),
    (re.compile(rf"\bx>({_NUMBER})"), r"more than \1"),
)


def range_in_words(text: str) -> str:
    """Return a help text with click's ranges, such as `0<=x<=1`, in words."""
    for pattern, words in _RANGES:
        text = pattern.sub(words, text)
    return text
