"""Moving files of a data set into its quarantine, and back."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import DataError, storage_error
from edgeinfer.device.core.files import sync_folder
from edgeinfer.host.evaluation.dataset.quarantine.log import (
    FILES,
    LOG,
    Move,
    append,
    locked_log,
    quarantine_of,
    read_moves,
)
from edgeinfer.host.evaluation.dataset.quarantine.places import carry, digest, parent_of, state

Stamp = tuple[int, int, int]
"""Size, time of the last change in ns, inode: what changes with a file."""

Moved = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file to move.

    Attributes:
        path: where it is, relative to the data set's folder.
        reason: why it should go.
        stamp: the file's, when it was looked at; None if it was not there then.
    """

    path: str
    reason: str
    stamp: Stamp | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of files that should move.

    Attributes:
        quarantine: the folder.
        moved: those that did, by their paths in the data set.
        left: those that did not, and why.
    """

    quarantine: Path
    moved: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def stamp_of(path: str | Path) -> Stamp | None:
    """Return what changes with a file; None if there is none. A link counts as itself."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def move_out(root: Path, wanted: Iterable[Wanted], *, moved: Moved = lambda: None) -> Result:
    """Move files into the quarantine; none is changed, removed or overwritten.

    Args:
        root: the data set's folder.
        wanted: which, and why.
        moved: called after each file.

    Raises:
        DataError: another process moves files of this data set.
        StorageError: the quarantine cannot be written.
    """
    root = Path(os.path.abspath(root))
    quarantine = quarantine_of(root)
    wanted = list(wanted)
    if not wanted:
        return Result(quarantine=quarantine, moved=(), left=())
    _make(quarantine)
    gone, left = [], []
    with locked_log(quarantine) as log:
        for one in wanted:
            reason = _move(root, quarantine, log, one)
            if reason:
                left.append((one.path, reason))
            else:
                gone.append(one.path)
            moved()
        empty = not read_moves(log, quarantine / LOG)
    if empty:
        _remove_if_empty(quarantine)
    return Result(quarantine=quarantine, moved=tuple(gone), left=tuple(left))


def put_back(root: Path, *, moved: Moved = lambda: None) -> Result:
    """Put all files of the quarantine back where they were; then it is removed.

    A file stays there if something else is now in its place, or if it is not what was moved.

    Args:
        root: the data set's folder.
        moved: called after each file.

    Raises:
        DataError: there is no quarantine, its log is damaged, or another process uses it.
        StorageError: the data set or the quarantine cannot be written.
    """
    root = Path(os.path.abspath(root))
    quarantine = quarantine_of(root)
    if quarantine.is_symlink() or not (quarantine / LOG).is_file():
        # It was stopped before anything moved.
        if not quarantine.is_symlink():
            _remove_if_empty(quarantine)
        raise DataError(
            root,
            got="has no files to put back",
            expected=f"a log of moves in {quarantine}",
            next_step="`data check --fix` makes it",
        )
    back, left = [], []
    with locked_log(quarantine) as log:
        # The newest first: a name may have been used, and moved, again.
        for move in reversed(read_moves(log, quarantine / LOG)):
            reason = _return(root, quarantine, move)
            if reason is None:
                continue
            if reason:
                left.append((move.path, reason))
            else:
                back.append(move.path)
            moved()
        if not left:
            os.unlink(quarantine / LOG)
            sync_folder(quarantine)
    if not left:
        _remove_if_empty(quarantine)
    return Result(quarantine=quarantine, moved=tuple(back), left=tuple(left))


def _move(root: Path, quarantine: Path, log: int, one: Wanted) -> str:
    """Move one file; return why it stayed, or nothing."""
    try:
        with parent_of(root, one.path) as source:
            found = state(*source)
            if found is None:
                return "is not there any more"
            if not stat.S_ISREG(found.st_mode):
                return "is a link or not a regular file"
            if (found.st_size, found.st_mtime_ns, found.st_ino) != one.stamp:
                return "has changed since it was looked at"
            sha256 = digest(*source)
            to = _free_name(quarantine, f"{FILES}/{one.path}")
            with parent_of(quarantine, to, create=True) as target:
                move = Move(
                    path=one.path, to=to, size=found.st_size, sha256=sha256, reason=one.reason
                )
                append(log, move, quarantine / LOG)
                carry(source, target)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return "is in a folder that is a link"
        if error.errno == errno.EXDEV:
            return "is on another file system than the quarantine"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise storage_error(quarantine, error) from error
        return f"cannot be moved ({(error.strerror or str(error)).lower()})"
    return ""


def _return(root: Path, quarantine: Path, move: Move) -> str | None:
    """Put one file back; return why it stayed, nothing if it is back, None if it never moved."""
    try:
        with parent_of(quarantine, move.to) as source:
            found = state(*source)
            if found is None:
                return None
            with parent_of(root, move.path, create=True) as target:
                there = state(*target)
                if there is not None and (there.st_dev, there.st_ino) == (
                    found.st_dev,
                    found.st_ino,
                ):
                    # It was stopped between its new name and the end of its old one.
                    os.unlink(source[1], dir_fd=source[0])
                    os.fsync(source[0])
                    return ""
                if there is not None:
                    return "another file is in its place now"
                if found.st_size != move.size or digest(*source) != move.sha256:
                    return "has changed in the quarantine"
                carry(source, target)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return "a link or a file is where its folder was"
        return f"cannot be moved ({(error.strerror or str(error)).lower()})"
    return ""


def _free_name(quarantine: Path, wanted: str) -> str:
    """Return a name that nothing in the quarantine has: a file of that name may be there."""
    name, number = wanted, 0
    while os.path.lexists(quarantine / name):
        number += 1
        name = f"{wanted}.{number}"
    return name


def _make(quarantine: Path) -> None:
    try:
        if quarantine.is_symlink():
            raise DataError(quarantine, got="is a link", expected="a folder, or nothing")
        quarantine.mkdir(exist_ok=True)
        sync_folder(quarantine.parent)
    except OSError as error:
        raise storage_error(quarantine, error) from error


def _remove_if_empty(quarantine: Path) -> None:
    """Remove the quarantine's own folders, and what else is in it never."""
    log = quarantine / LOG
    if log.is_file() and not log.stat().st_size:
        log.unlink()
    for folder, _, _ in os.walk(quarantine, topdown=False):
        with suppress(OSError):  # something is in it
            os.rmdir(folder)
