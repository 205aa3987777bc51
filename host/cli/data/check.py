"""`edgeinfer data check`: looks at labelled photos before a training."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.given import refuse_other_than_photos
from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.host.cli.labels_option import labels_option

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData
    from edgeinfer.host.data.findings import Finding


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@labels_option
@option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Random seed of the split.")
@json_option
def check(folder: Path, labels_csv: Path | None, seed: int, as_json: bool) -> None:
    """Count the classes of a folder and name files that cannot be used.

    FOLDER has one sub-folder of photos per class, or such folders in train, validation and test.
    Every photo is decoded. The exit code is 1 if the data cannot be used for training.
    """
    refuse_other_than_photos(folder, DataError)
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.data.check import check_files
    from edgeinfer.host.data.dataset import split_checked
    from edgeinfer.host.data.labels.find import find_labelled

    findings: tuple[Finding, ...] = ()
    try:
        layout = find_labelled(folder, table=labels_csv)
        findings = layout.findings
        with tell_kept(), show_progress() as progress:
            checked = check_files(layout, progress=progress)
        findings = checked.findings
        prepared = split_checked(layout, checked, seed=seed)
    except DataError as error:
        if as_json:
            click.echo(_to_json(folder, findings, error=error))
        else:
            _print_findings(findings)
        raise
    if as_json:
        click.echo(_to_json(folder, findings, prepared=prepared))
        return
    _print_counts(prepared)
    _print_findings(findings)


def _counts(prepared: PreparedData) -> dict[str, dict[str, int]]:
    """Return how many photos of each class each split has."""
    return {
        split: {
            label: sum(sample.target == index for sample in samples)
            for index, label in enumerate(prepared.labels)
        }
        for split, samples in prepared.splits.items()
    }


def _to_json(
    folder: Path,
    findings: tuple[Finding, ...],
    *,
    prepared: PreparedData | None = None,
    error: DataError | None = None,
) -> str:
    """Return one JSON object on one line; `usable` says whether a training could start."""
    return json.dumps(
        {
            "folder": str(folder),
            "usable": error is None,
            "error": None if error is None else str(error),
            "labels": list(prepared.labels) if prepared else [],
            "counts": _counts(prepared) if prepared else {},
            "findings": [
                {"kind": finding.kind, "path": finding.path, "detail": finding.detail}
                for finding in findings
            ],
        }
    )


def _print_counts(prepared: PreparedData) -> None:
    counts = _counts(prepared)
    rows = [(label, *(str(counts[split][label]) for split in counts)) for label in prepared.labels]
    rows.append(("all", *(str(len(samples)) for samples in prepared.splits.values())))
    header = ("class", *counts)
    # The base install, which does not have `rich`, can check a folder too.
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(f"{prepared.name}, {len(prepared.labels)} classes"))
        for index, title in enumerate(header):
            table.add_column(title, justify="right" if index else "left")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console().print(table)
        return
    for row in (header, *rows):
        click.echo("\t".join(printable(cell) for cell in row))


def _print_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        path = "" if finding.kind == "note" else f"{printable(finding.path)}: "
        say(f"{finding.kind}: {path}{printable(finding.detail)}")
    left_out = sum(finding.left_out for finding in findings)
    if left_out:
        say(f"left out: {left_out}")
