"""The numbers behind a bundle's metrics, in the bundle and next to it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgeinfer.device.core.files import write_atomically

REPORT_FOLDER = "report"
METRICS_MEMBER = f"{REPORT_FOLDER}/metrics.json"


def report_members(metrics: Mapping[str, float], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the report's files by member name.

    Args:
        metrics: figures by name.
        files: other files, by their names in the report.
    """
    return {
        METRICS_MEMBER: metrics_file(metrics),
        **{f"{REPORT_FOLDER}/{name}": content for name, content in files.items()},
    }


def metrics_file(metrics: Mapping[str, float]) -> bytes:
    """Return the metrics as a JSON file; equal ones give equal bytes."""
    return (json.dumps(dict(metrics), indent=1, sort_keys=True) + "\n").encode()


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """A bundle's report as files that any program shows.

    Attributes:
        folder: where they are.
        names: their names.
        page: the page among them; None where there is none.
    """

    folder: Path
    names: tuple[str, ...]
    page: Path | None = None

    def text(self) -> str:
        """Return where they are, which of them are pictures, and on a line where the page is."""
        pictures = [name for name in self.names if name.endswith(".png")]
        drawn = f": {', '.join(pictures)}" if pictures else ""
        page = "" if self.page is None else f"\nthe page: {self.page}"
        return f"report in {self.folder}{drawn}{page}"


def report_folder(bundle: Path) -> Path:
    """Return the folder for a bundle's report as files, NAME-report next to it."""
    return bundle.with_name(f"{bundle.stem}-report")


def write_report_next_to(bundle: Path) -> ReportFiles | None:
    """Write a bundle's report into the folder NAME-report next to it; None if it has none.

    Args:
        bundle: a bundle that was just written.

    Raises:
        StorageError: the folder cannot be written.
    """
    folder = report_folder(bundle)
    names = []
    with zipfile.ZipFile(bundle) as archive:
        for member in map(PurePosixPath, archive.namelist()):
            if member.parent.name == REPORT_FOLDER:
                write_atomically(folder / member.name, archive.read(str(member)))
                names.append(member.name)
    return ReportFiles(folder=folder, names=tuple(sorted(names))) if names else None
