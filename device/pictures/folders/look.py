"""Looking into a folder: what it holds directly, and whether there is any picture below."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from edgeinfer.device.pictures.folders.leftovers import is_run
from edgeinfer.device.pictures.folders.walk import is_folder, is_picture, opened, visible_entries

_MOST_FOLDERS = 1000


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in `folder`, sorted, without hidden ones, leftovers and runs.

    Raises:
        DataError: it cannot be read.
    """
    found = [Path(entry.path) for entry in visible_entries(folder) if is_folder(entry)]
    return [path for path in found if not holds_runs(path)]


def has_pictures(folder: Path) -> bool:
    """Return whether pictures lie directly in `folder`; it stops at the first one.

    Raises:
        DataError: it cannot be read.
    """
    with opened(folder) as entries:
        return any(is_picture(entry) and not entry.name.startswith(".") for entry in entries)


def has_pictures_below(folder: Path) -> bool:
    """Return whether there is a picture at any depth below `folder`.

    Of a large tree without pictures only a part is looked at; then the answer is yes.

    Raises:
        DataError: a folder cannot be read.
    """
    waiting = [folder]
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return False
        inner = waiting.pop()
        if has_pictures(inner):
            return True
        waiting += [Path(entry.path) for entry in visible_entries(inner) if is_folder(entry)]
    return True


def holds_runs(folder: Path) -> bool:
    """Return whether a folder holds runs of edgeinfer and no pictures, as `runs` does.

    Raises:
        DataError: it cannot be read.
    """
    if has_pictures(folder):
        return False
    with opened(folder) as entries:
        runs = any(is_run(entry.path) for entry in islice(entries, _MOST_FOLDERS))
    # The runs themselves are not looked into: they are left over.
    return runs and not has_pictures_below(folder)
