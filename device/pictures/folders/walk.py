"""The one walk over folders of pictures: training, `evaluate`, `predict` and `run` use it.

Hidden files and what systems leave behind are not data at any depth, see `leftovers`. Links to
folders are followed, never into a folder that they are in, and each of their targets once. So the
walk ends, and its memory grows with the depth of the tree and the number of such links, not with
the number of files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.leftovers import leftover
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES

Ignored = Callable[["os.DirEntry[str]", str], None]
"""ignored(entry, reason): called with what is left over from a system, and with files (the reason
is empty) that are not pictures by their name."""


def pictures_below(
    folder: str | Path, ignored: Ignored | None = None, *, root: Path | None = None
) -> Iterator[str]:
    """Yield the paths of the pictures below `folder`, each folder in the order of its names.

    Args:
        folder: where to start.
        ignored: gets what is not a picture; None for nobody.
        root: the whole data set of which `folder` is a part, so that no link leads back to it.

    Raises:
        DataError: a folder cannot be read.
    """
    followed: set[tuple[int, int]] = set()
    outside = set() if root is None else _between(Path(folder), root)
    # No call within a call: folders may be nested deeper than those go.
    waiting = [_Open(_identity(os.fspath(folder)), iter(visible_entries(folder, ignored)))]
    while waiting:
        entry = next(waiting[-1].entries, None)
        if entry is None:
            waiting.pop()
        elif is_folder(entry):
            identity = _identity(entry.path)
            if entry.is_symlink():
                if identity in followed:
                    continue
                followed.add(identity)
            # Only a link leads back; without one this is quick.
            if followed and (
                identity in outside or any(identity == open_.identity for open_ in waiting)
            ):
                continue
            waiting.append(_Open(identity, iter(visible_entries(entry.path, ignored))))
        elif is_picture(entry):
            yield entry.path
        elif ignored is not None:
            ignored(entry, "")


def visible_entries(folder: str | Path, ignored: Ignored | None = None) -> list[os.DirEntry[str]]:
    """Return what `folder` holds, sorted by name, without hidden and left-over files and folders.

    Args:
        folder: which.
        ignored: gets what is left over.

    Raises:
        DataError: it is missing, not a folder, or cannot be read.
    """
    visible = []
    with opened(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        reason = leftover(entry.path, folder=is_folder(entry))
        if reason:
            if ignored is not None:
                ignored(entry, reason)
        elif not entry.name.startswith("."):
            visible.append(entry)
    return visible


@contextmanager
def opened(folder: str | Path) -> Iterator[Iterator[os.DirEntry[str]]]:
    """Open a folder to list it, in no order.

    Raises:
        DataError: it is missing, not a folder, or cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            yield entries
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


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def is_picture(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a file, or a link to one, that may be a picture by its name."""
    return suffix_of(entry.name) in IMAGE_SUFFIXES and is_file(entry)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a regular file, or a link to one."""
    try:
        return entry.is_file()
    except OSError:
        return False


def suffix_of(name: str) -> str:
    """Return a name's suffix in lower case, such as ".jpg"."""
    return os.path.splitext(name)[1].lower()


@dataclass(frozen=True, slots=True)
class _Open:
    """A folder that is being walked, and what is left of it."""

    identity: tuple[int, int]
    entries: Iterator[os.DirEntry[str]]


def _between(folder: Path, root: Path) -> set[tuple[int, int]]:
    """Return the folders from `root` to the one that `folder` is in."""
    if folder == root or not folder.is_relative_to(root):
        return set()
    parents = [parent for parent in folder.parents if parent.is_relative_to(root)]
    return {_identity(os.fspath(parent)) for parent in parents}


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (-1, -1)  # it was removed meanwhile; opening it says so
    return status.st_dev, status.st_ino
