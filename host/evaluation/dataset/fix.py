"""Which files of a checked data set `--fix` moves, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from edgeinfer.device.cameras.files.labelled import image_paths
from edgeinfer.host.evaluation.dataset.quarantine.move import Stamp, Wanted, stamp_of
from edgeinfer.host.evaluation.dataset.report import DataReport

_ALWAYS = frozenset({"empty", "corrupt", "not-an-image", "duplicate"})


def stamps_below(folder: Path) -> dict[str, Stamp | None]:
    """Return what changes with each file below a folder, before it is looked at.

    Raises:
        CameraError: a folder cannot be read.
    """
    paths = map(str, image_paths(folder.absolute()))
    return {path: stamp_of(path) for path in paths}


def files_to_move(
    report: DataReport,
    stamps: Mapping[str, Stamp | None],
    *,
    labels: bool,
) -> list[Wanted]:
    """Return the files that go, each once, ordered by path.

    Unreadable files; of equal pictures all but the one that `train` uses; of near-duplicates in
    different splits (or in none, since those are drawn) the one that `choose_copies` does not keep.
    In doubt about a label both stay.

    Args:
        report: what was found.
        stamps: of all files, from before they were looked at.
        labels: move what has a doubtful label, too: likely wrong ones, and all copies of a picture
            under two labels.
    """
    wanted: dict[str, str] = {}

    def add(path: str, reason: str) -> None:
        wanted.setdefault(path, reason)

    for finding in report.prepared.findings:
        if finding.kind in _ALWAYS or (labels and finding.kind == "conflict"):
            add(finding.path, f"{finding.kind}: {finding.detail}")
    for finding, copy in zip(report.findings(), report.copies, strict=False):
        if copy.contradicts and labels:
            for path in (copy.path, copy.kept):
                add(report.relative(path), f"{finding.kind}: {finding.detail}")
        elif copy.straddles and not copy.contradicts:
            add(finding.path, f"{finding.kind}: {finding.detail}")
    if labels:
        for finding in report.findings():
            if finding.kind == "wrong-label":
                add(finding.path, f"{finding.kind}: {finding.detail}")
    return [
        Wanted(path=path, reason=reason, stamp=stamps.get(os.path.join(report.root, path)))
        for path, reason in sorted(wanted.items())
    ]
