"""Folders in the cache that are complete or missing: made in a temporary folder, then renamed.

A lock lets one process make one; its stamp, which `edgeinfer doctor` reads, comes last.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.core.installation.stamps import STAMP_FILE

_SPARE = 1.3
"""Free space that an installation needs, in parts of the final size: downloads are unpacked."""


def make_folder(
    folder: Path,
    fill: Callable[[Path, Path], None],
    *,
    stamp: dict[str, object],
    size_mb: int,
    progress: Progress,
    is_ready: Callable[[], bool],
) -> None:
    """Make a folder, or wait while another process makes it. An older one is replaced.

    Args:
        folder: where it appears.
        fill: is called with the new folder, which it makes, and a folder for temporary files.
        stamp: what the folder holds; its size is added.
        size_mb: about how much it will take.
        progress: receives what is said.
        is_ready: whether the folder is as it should be, because another process has made it.

    Raises:
        StorageError: the disk is full, or cannot be written. Nothing is left.
        EdgeinferError: what `fill` raised. Nothing is left.
    """
    home, name = folder.parent, folder.name
    with _lock(home, name, progress):
        if is_ready():
            return
        _require_space(folder, size_mb)
        for old in home.glob(f".{name}-*"):  # of a process that was killed; we have the lock
            shutil.rmtree(old, ignore_errors=True)
        try:
            building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
            try:
                new, scratch = building / "new", building / "scratch"
                scratch.mkdir()
                fill(new, scratch)
                content = json.dumps({**stamp, "size_mb": _size_mb(new)}, indent=1) + "\n"
                (new / STAMP_FILE).write_text(content, encoding="utf-8")
                if folder.exists():
                    folder.rename(building / "old")
                new.rename(folder)
            finally:
                shutil.rmtree(building, ignore_errors=True)
        except OSError as error:
            raise storage_error(folder, error) from error


def _require_space(folder: Path, size_mb: int) -> None:
    needed_mb = round(size_mb * _SPARE)
    free_mb = shutil.disk_usage(folder.parent).free // 10**6
    if free_mb < needed_mb:
        raise StorageError(
            folder,
            got=f"cannot be made: {free_mb:,} MB are free on this disk",
            expected=f"{needed_mb:,} MB",
            next_step="free some space, or set XDG_CACHE_HOME to a folder on another disk",
        )


def _size_mb(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):
        size += sum(os.lstat(os.path.join(path, name)).st_size for name in names)
    return round(size / 1e6)


@contextmanager
def _lock(home: Path, name: str, progress: Progress) -> Iterator[None]:
    """Let one process make a folder; the kernel gives the lock back if that one is killed."""
    path = home / f"{name}.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        raise storage_error(path, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"another process installs {name}: this one waits for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:  # a file system without locks
            raise storage_error(path, error) from error
        yield
