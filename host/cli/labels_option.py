"""`--labels-csv` and others: where targets are, of every command that reads labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeinfer.device.cli.help.pages import option

LABELS_NAMES = ("--labels-csv",)

LABELS_SETTINGS: dict[str, Any] = {
    "type": click.Path(path_type=Path),
    "metavar": "FILE",
    "help": "A CSV or JSON file with the file and the label, or the values, of each picture.",
}

labels_option = option(*LABELS_NAMES, **LABELS_SETTINGS)

TARGET_NAMES = ("--target", "targets")

TARGET_SETTINGS: dict[str, Any] = {
    "multiple": True,
    "metavar": "NAME",
    "help": "A column of measured values in the table; may be given several times.",
}

PATTERN_NAMES = ("--name-pattern",)

PATTERN_SETTINGS: dict[str, Any] = {
    "metavar": "PATTERN",
    "help": "Where names of pictures have the values: '*_{value}' finds 4.2 in 0017_4.2.jpg.",
}


def split_commas(text: str | None) -> tuple[str, ...]:
    """Return the parts of "bar,deg" without spaces around them; none of None."""
    return () if text is None else tuple(part.strip() for part in text.split(","))
