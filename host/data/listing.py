"""Walking a labelled folder: which files are read, in which order, and which are ignored."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES
from edgeinfer.host.data.findings import Finding

_CONVERT = frozenset(
    {
        *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw"),
        *(".exr", ".ico", ".j2k", ".jp2", ".jxl", ".jxr", ".pbm", ".pdf", ".pgm", ".pnm", ".ppm"),
        *(".psd", ".svg", ".tga", ".xcf"),
    }
)
_LEFTOVERS = frozenset({"__MACOSX"})


def images_below(folder: Path, root: Path, findings: list[Finding]) -> Iterator[str]:
    """Yield the image files anywhere below `folder`, sorted, following links but never twice."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        status = os.stat(current)
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        inner = []
        for entry in visible_entries(current):
            path = Path(entry.path)
            if _is(entry, stat.S_ISDIR):
                inner.append(path)
            elif reason := _why_ignored(entry):
                findings.append(ignored(path, root, reason))
            else:
                yield entry.path
        waiting.extend(reversed(inner))


def _why_ignored(entry: os.DirEntry[str]) -> str:
    """Return why a file is not read; empty if it is read."""
    if _is_odd(entry.name):
        return "its name contains control characters or is not valid UTF-8; rename it"
    suffix = _suffix(entry.name)
    if needs_conversion(entry.name):
        return f"{suffix} files are not supported; convert it to JPEG"
    if suffix not in IMAGE_SUFFIXES:
        return "its name has no image suffix"
    if not _is(entry, stat.S_ISREG):
        return "is a broken link" if entry.is_symlink() else "is not a regular file"
    return ""


def needs_conversion(name: str) -> bool:
    """Return whether a file, by its name, is a picture that edgeinfer cannot read."""
    return _suffix(name) in _CONVERT


def subfolders(folder: Path, root: Path, findings: list[Finding]) -> list[Path]:
    """Return the visible sub-folders, sorted; a file without an image's suffix is a finding."""
    found = []
    for entry in visible_entries(folder):
        if _is(entry, stat.S_ISDIR):
            if entry.name in _LEFTOVERS:
                findings.append(ignored(Path(entry.path), root, "is left over from an archive"))
                continue
            refuse_odd_name(entry.name, Path(entry.path))
            found.append(Path(entry.path))
        elif _suffix(entry.name) not in IMAGE_SUFFIXES:
            reason = "is outside the class folders"
            findings.append(ignored(Path(entry.path), root, reason))
    return found


def images_in(folder: Path) -> list[Path]:
    """Return the files with an image's suffix directly in `folder`, sorted."""
    return [Path(e.path) for e in visible_entries(folder) if _suffix(e.name) in IMAGE_SUFFIXES]


def visible_entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of `folder` that are not hidden, sorted by name.

    Raises:
        DataError: it is missing, not a folder, or cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError as error:
        raise DataError(folder, got="does not exist", next_step="check the path") from error
    except NotADirectoryError as error:
        raise DataError(
            folder, got="is a file", expected="a folder with one sub-folder per class"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(
            folder, got=f"cannot be read ({reason})", next_step="check its permissions"
        ) from error
    return sorted(visible, key=lambda entry: entry.name)


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


def _is(entry: os.DirEntry[str], kind: Callable[[int], bool]) -> bool:
    """Return an entry's kind after following links; broken and circular links have none."""
    try:
        return kind(entry.stat().st_mode)
    except OSError:
        return False


def _is_odd(name: str) -> bool:
    """Return whether a name cannot be printed or stored; emoji joiners and similar are fine."""
    return any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in name)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def ignored(path: Path, root: Path, detail: str) -> Finding:
    """Return the finding that a file or folder is not used."""
    return Finding(kind="ignored", path=os.path.relpath(path, root), detail=detail)
