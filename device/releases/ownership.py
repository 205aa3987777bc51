"""Whose the folders are that root works in: nobody else may replace them."""

from __future__ import annotations

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from edgeinfer.device.core.errors import ReleaseError, StorageError

_MOST_LINKS = 40
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_way(folder: Path) -> None:
    """Refuse a folder that others than root may change, or may replace.

    Each folder from `/` on is looked at, and where links lead; what is not there yet is left out.
    Where others may add files but may not touch root's (the sticky bit, as of /tmp), root's are
    safe.

    Raises:
        ReleaseError: one is not root's, or others may write into it.
        StorageError: they cannot be looked at.
    """
    try:
        for path in _way(os.path.abspath(folder), 0):
            _check(path, sticky_is_safe=path != os.path.abspath(folder))
    except OSError as error:
        raise StorageError(folder, got=f"cannot be looked at ({error.strerror})") from error


def check_content(folder: Path, *, but: Path) -> None:
    """Refuse a folder where what is in it, or one folder deeper, is not root's alone.

    Args:
        folder: which; nothing where it is not there.
        but: what in it belongs to another.

    Raises:
        ReleaseError: something is not root's, or others may write to it.
        StorageError: it cannot be looked at.
    """
    try:
        for entry in _entries(str(folder)):
            if entry.path == str(but):
                if entry.is_symlink() or not entry.is_dir():
                    raise _refusal(
                        entry.path, "is not a folder", f"sudo rm {shlex.quote(entry.path)}"
                    )
                continue
            _check(entry.path)
            for inner in _entries(entry.path) if entry.is_dir(follow_symlinks=False) else ():
                _check(inner.path)
    except OSError as error:
        raise StorageError(folder, got=f"cannot be looked at ({error.strerror})") from error


def _way(path: str, links: int) -> Iterator[str]:
    """Give what leads to a path, from `/` on, links before what they lead to."""
    if links > _MOST_LINKS:
        raise ReleaseError(path, got="is a link that leads to itself", expected="a folder")
    parent = os.path.dirname(path)
    if parent != path:
        yield from _way(parent, links)
    if not os.path.lexists(path):
        return
    yield path
    if os.path.islink(path):
        yield from _way(os.path.join(parent, os.readlink(path)), links + 1)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except FileNotFoundError:
        return []


def _check(path: str, *, sticky_is_safe: bool = False) -> None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return  # it has just been removed
    mode = stat.S_IMODE(status.st_mode)
    # Whose a link is says who made it; its mode says nothing.
    open_to_others = not stat.S_ISLNK(status.st_mode) and mode & _OTHERS_WRITE
    if open_to_others and sticky_is_safe and mode & stat.S_ISVTX:
        open_to_others = False
    if status.st_uid != 0 or open_to_others:
        owner = f"belongs to {user_name(status.st_uid)}, mode {mode:04o}"
        name = shlex.quote(path)
        fix = f"sudo chown --no-dereference root:root {name} && sudo chmod go-w {name}"
        raise _refusal(path, owner, fix)


def _refusal(path: str, got: str, fix: str) -> ReleaseError:
    return ReleaseError(
        path,
        got=got,
        expected="root's, where no other user may write: root runs what is there",
        next_step=f"see what is in it, then: {fix}",
    )


def user_name(number: int) -> str:
    """Return what a user is called, by number where there is no name."""
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
