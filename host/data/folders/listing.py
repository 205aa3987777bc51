"""Walking a labelled folder: which files are read, in which order, and which are ignored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.device.pictures.folders.leftovers import REASONS, RUN
from edgeinfer.device.pictures.folders.look import holds_runs
from edgeinfer.device.pictures.folders.walk import (
    is_folder,
    pictures_below,
    suffix_of,
    visible_entries,
)
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES
from edgeinfer.host.data.folders.findings import Finding

__all__ = [
    "ignored",
    "images_below",
    "images_in",
    "needs_conversion",
    "once_a_kind",
    "refuse_odd_name",
    "subfolders",
    "visible_entries",
]

IMPORT_FILE = "import.json"
"""What `edgeinfer data import` left out and corrected, next to the class folders that it made."""

_CONVERT = frozenset(
    {
        *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw"),
        *(".exr", ".ico", ".j2k", ".jp2", ".jxl", ".jxr", ".pbm", ".pdf", ".pgm", ".pnm", ".ppm"),
        *(".psd", ".svg", ".tga", ".xcf"),
    }
)
_ODD_NAME = "its name contains control characters or is not valid UTF-8; rename it"


def images_below(folder: Path, root: Path, findings: list[Finding]) -> Iterator[str]:
    """Yield the image files anywhere below `folder`, see `pictures_below`."""

    def note(entry: os.DirEntry[str], reason: str) -> None:
        findings.append(ignored(Path(entry.path), root, reason or _why_ignored(entry)))

    for path in pictures_below(folder, note, root=root):
        if _is_odd(os.path.basename(path)):
            findings.append(ignored(Path(path), root, _ODD_NAME))
        else:
            yield path


def _why_ignored(entry: os.DirEntry[str]) -> str:
    """Return why a file is not read; empty if it is read."""
    if _is_odd(entry.name):
        return _ODD_NAME
    suffix = suffix_of(entry.name)
    if needs_conversion(entry.name):
        return f"{suffix} files are not supported; convert it to JPEG"
    if suffix not in IMAGE_SUFFIXES:
        return "its name has no image suffix"
    return "is a broken link" if entry.is_symlink() else "is not a regular file"


def needs_conversion(name: str) -> bool:
    """Return whether a file, by its name, is a picture that edgeinfer cannot read."""
    return suffix_of(name) in _CONVERT


def subfolders(folder: Path, root: Path, findings: list[Finding]) -> list[Path]:
    """Return the folders that may be data, sorted; a file without an image's suffix is a finding.

    Raises:
        DataError: it cannot be read, or a folder's name cannot be a label.
    """
    found = []

    def note(entry: os.DirEntry[str], reason: str) -> None:
        findings.append(ignored(Path(entry.path), root, reason))

    for entry in visible_entries(folder, note):
        if is_folder(entry):
            if holds_runs(Path(entry.path)):
                note(entry, RUN)
                continue
            refuse_odd_name(entry.name, Path(entry.path))
            found.append(Path(entry.path))
        elif suffix_of(entry.name) not in IMAGE_SUFFIXES and entry.name != IMPORT_FILE:
            note(entry, "is outside the class folders")
    return found


def images_in(folder: Path) -> list[Path]:
    """Return the files with an image's suffix directly in `folder`, sorted."""
    return [Path(e.path) for e in visible_entries(folder) if suffix_of(e.name) in IMAGE_SUFFIXES]


def once_a_kind(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with one for each kind of what systems leave, instead of each folder."""
    findings = list(findings)
    counts = Counter(finding.detail for finding in findings if finding.detail in REASONS)
    kept = []
    for finding in findings:
        count = counts.pop(finding.detail, None)
        if count is not None and count > 1:
            finding = replace(finding, detail=f"{finding.detail}, the first of {count:,}")
        elif count is None and finding.detail in REASONS:
            continue
        kept.append(finding)
    return tuple(kept)


def refuse_odd_name(name: str, path: Path) -> None:
    """Refuse a folder's name that cannot be a label.

    Raises:
        DataError: it holds control characters or bytes that are not UTF-8.
    """
    if _is_odd(name):
        raise DataError(
            path,
            got="has a name with control characters or bytes that are not UTF-8",
            expected="a name that can be a label",
            next_step="rename the folder",
        )


def _is_odd(name: str) -> bool:
    """Return whether a name cannot be printed or stored; emoji joiners and similar are fine."""
    return printable(name) != name


def ignored(path: Path, root: Path, detail: str) -> Finding:
    """Return the finding that a file or folder is not used."""
    return Finding(kind="ignored", path=os.path.relpath(path, root), detail=detail)
