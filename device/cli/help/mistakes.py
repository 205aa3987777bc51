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


def in_plain_words(error: click.ClickException) -> click.ClickException:
    """Return click's error in plain words; a missing option is followed by its help text."""
    if not isinstance(error, click.UsageError):
        return error
    text = error.format_message()
    if isinstance(error, click.MissingParameter) and not error.message:
        text = f"{text} {getattr(error.param, 'help', None) or ''}".strip()
    for pattern, words in _TYPES:
        text = pattern.sub(words, text)
    return click.UsageError(range_in_words(text), error.ctx)
