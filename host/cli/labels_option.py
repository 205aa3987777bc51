"""`--labels-csv`: labels from a table, of every command that reads labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgeinfer.device.cli.help.pages import option

LABELS_NAMES = ("--labels-csv",)

LABELS_SETTINGS: dict[str, Any] = {
    "type": click.Path(path_type=Path),
    "metavar": "FILE",
    "help": "A CSV or JSON file with the file and the label of each picture.",
}

labels_option = option(*LABELS_NAMES, **LABELS_SETTINGS)
