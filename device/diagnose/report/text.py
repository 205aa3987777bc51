"""A report as a file: Markdown that a person can paste into an issue, or JSON alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import UsageError, storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.diagnose.report.collect import Part, document

_INTRODUCTION = (
    "Names of users and hosts, addresses, serial numbers and passwords were removed. Please read",
    "the file before you share it. The JSON block at the end has the same content for programs.",
)


def markdown(parts: Sequence[Part]) -> str:
    """Return a report as Markdown: a heading and a text block per part, one JSON block at the end.

    Texts from the machine, such as names of cameras, are in fenced blocks only, which nothing in
    them can end.
    """
    content = document(parts)
    lines = ["# edgeinfer report", "", f"Made on {content['made']}.", *_INTRODUCTION]
    for part in parts:
        lines += ["", f"## {part.title}", "", *_fenced("text", "\n".join(part.lines))]
    lines += ["", "## JSON", "", *_fenced("json", as_json(parts).rstrip("\n"))]
    return "\n".join(lines) + "\n"


def as_json(parts: Sequence[Part]) -> str:
    """Return a report as JSON."""
    return json.dumps(document(parts), indent=1, ensure_ascii=False) + "\n"


def _fenced(language: str, text: str) -> list[str]:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, text, fence]


def check_place(path: Path, *, force: bool) -> None:
    """Refuse a place for a report before the work starts.

    Raises:
        UsageError: there is a file already, and `force` is not given; or it is not a file's place.
        StorageError: the folder cannot be written.
    """
    if os.path.lexists(path) and not force:
        raise UsageError(
            path,
            got="exists already",
            next_step="choose another name, or replace it with --force",
        )
    if path.exists() and not path.is_file():
        raise UsageError(path, got="is not a file", expected="the name of a file to write")
    folder = next((each for each in path.absolute().parents if each.exists()), Path("/"))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        error = PermissionError(13, "permission denied")
        if not folder.is_dir():
            error = NotADirectoryError(20, "not a directory")  # type: ignore[assignment]
        raise storage_error(path, error)


def write_report(path: Path, parts: Sequence[Part], *, as_document: bool, force: bool) -> None:
    """Write a report; the file appears complete or not at all.

    Args:
        path: the file.
        parts: the report.
        as_document: write JSON alone, not Markdown.
        force: replace a file that is there.

    Raises:
        UsageError: a file appeared there in the meantime.
        StorageError: the file cannot be written.
    """
    content = as_json(parts) if as_document else markdown(parts)
    check_place(path, force=force)
    write_atomically(path, content.encode(errors="backslashreplace"))
