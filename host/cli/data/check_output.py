"""What `edgeinfer data check` prints: a table and lines for people, JSON for programs."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.evaluation.dataset.contents import Contents
from edgeinfer.host.evaluation.dataset.quarantine.move import Result
from edgeinfer.host.evaluation.dataset.report import DataReport

_PLURAL = {"class": "es", "label": "s", "value": "s"}

_MOST_LINES = 10
"""Lines of one kind of what only should be looked at; the page and the JSON name all."""


def print_report(report: DataReport) -> None:
    """Print the table of labels or values, and all findings in short."""
    _print_contents(report.prepared.name, report.contents)
    print_findings(report.prepared.findings)
    shown: Counter[str] = Counter()
    found = report.findings()
    total = Counter(finding.kind for finding in found)
    for finding in found:
        shown[finding.kind] += 1
        if shown[finding.kind] <= _MOST_LINES:
            say(_line(finding))
        elif shown[finding.kind] == total[finding.kind]:
            more = total[finding.kind] - _MOST_LINES
            say(f"{finding.kind}: {more:,} more; --page FILE shows all")


def print_findings(findings: Sequence[Finding]) -> None:
    """Print what is left out and warned of, and how many are left out."""
    for finding in findings:
        say(_line(finding))
    left_out = sum(finding.left_out for finding in findings)
    if left_out:
        say(f"left out: {left_out}")


def report_json(folder: Path, report: DataReport, result: Result | None) -> str:
    """Return one JSON object on one line: everything that was found, and moved."""
    found = _common(folder, (*report.prepared.findings, *report.findings()), error=None)
    found["labels"] = list(report.prepared.labels)
    contents = report.contents
    found["counts"] = {
        split: {label: counts[split] for label, counts in contents.counts.items()}
        for split in contents.pictures
    }
    if contents.ranges:
        found["pictures"], found["ranges"] = contents.pictures, contents.ranges
    found["copies"] = [
        {
            "path": report.relative(copy.path),
            "split": copy.split,
            "kept": report.relative(copy.kept),
            "kept_split": copy.kept_split,
            "straddles": copy.straddles,
            "contradicts": copy.contradicts,
            "mirrored": copy.likeness.mirrored,
            "correlation": round(copy.likeness.correlation, 4),
            "shown_of_path": round(copy.likeness.first_share, 3),
            "shown_of_kept": round(copy.likeness.second_share, 3),
        }
        for copy in report.copies
    ]
    found["drift"] = [asdict(drift) for drift in report.drifts]
    found["deep"] = None if report.deep is None else asdict(report.deep)
    for suspect in (found["deep"] or {}).get("suspects") or ():
        suspect["path"] = report.relative(suspect["path"])
    if result is not None:
        found["moved"] = _moved(result)
    return json.dumps(found)


def unusable_json(folder: Path, findings: Sequence[Finding], error: DataError) -> str:
    """Return one JSON object on one line about data that cannot be used."""
    return json.dumps({**_common(folder, findings, error=error), "labels": [], "counts": {}})


def moved_json(folder: Path, result: Result) -> str:
    """Return one JSON object on one line: what was put back."""
    return json.dumps({"folder": str(folder), **_moved(result)})


def _moved(result: Result) -> dict[str, Any]:
    return {
        "quarantine": str(result.quarantine),
        "moved": list(result.moved),
        "left": [{"path": path, "reason": reason} for path, reason in result.left],
    }


def _common(
    folder: Path, findings: Sequence[Finding], *, error: DataError | None
) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "usable": error is None,
        "error": None if error is None else str(error),
        "findings": [
            {"kind": finding.kind, "path": finding.path, "detail": finding.detail}
            for finding in findings
        ],
    }


def _line(finding: Finding) -> str:
    path = "" if finding.kind == "note" else f"{printable(finding.path)}: "
    return f"{finding.kind}: {path}{printable(finding.detail)}"


def _print_contents(name: str, contents: Contents) -> None:
    rows = [
        (label, *(str(count) for count in counts.values()))
        for label, counts in contents.counts.items()
    ]
    rows += [(value, *map(_range_text, ends.values())) for value, ends in contents.ranges.items()]
    title = f"{name}, {len(rows)} {contents.each}{_PLURAL[contents.each]}"
    last = "pictures" if contents.ranges else "all"
    rows.append((last, *map(str, contents.pictures.values())))
    header = (contents.each, *contents.pictures)
    # The base install, which does not have `rich`, can check a folder too.
    if sys.stdout.isatty() and importlib.util.find_spec("rich") is not None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(title))
        for index, title in enumerate(header):
            table.add_column(title, justify="right" if index else "left")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console().print(table)
        return
    for row in (header, *rows):
        click.echo("\t".join(printable(cell) for cell in row))


def _range_text(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:g} to {ends[1]:g}"
