"""click's sentences about wrong options, in words that users know."""

from __future__ import annotations

import re

import click

from edgeinfer.device.cli.help.pages import range_in_words

_TYPES = (
    (re.compile(r"is not a valid integer( range)?\."), "is not a whole number."),
    (re.compile(r"is not a valid float( range)?\."), "is not a number."),
    (re.compile(r"is not in the range (.+)\."), r"is out of range, expected \1."),
)


def explain_usage(error: click.ClickException) -> None:
    """Put an error of click into plain words; a missing option gets its help text."""
    if isinstance(error, click.MissingParameter):
        help_text = getattr(error.param, "help", None)
        error.message = error.message or help_text or ""
        return
    for pattern, words in _TYPES:
        error.message = pattern.sub(words, error.message)
    error.message = range_in_words(error.message)
