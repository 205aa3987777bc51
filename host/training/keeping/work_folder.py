"""The hidden folder in which a run is made, and the lock of the process that makes it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.errors import UsageError, storage_error

LOCK_FILE = "edgeinfer.lock"
_KEPT = ".training"
_PASSING = ".making"


def work_folder(out: Path, *, kept: bool) -> Path:
    """Return the folder in which a run is made.

    Args:
        out: the run's final place, absolute.
        kept: whether it is found again after the process was stopped.
    """
    name = out.name
    if len(name) > 60:
        name = f"{name[:60]}-{hashlib.blake2b(out.name.encode(), digest_size=4).hexdigest()}"
    return out.parent / f".{name}{_KEPT if kept else f'.{os.getpid()}{_PASSING}'}"


class Lock:
    """Holds a work folder for this process; the system lets it go when the process ends.

    Args:
        folder: the folder; made if it is not there.

    Raises:
        UsageError: another process holds it.
        StorageError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        while True:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except FileNotFoundError:
                continue  # the process that held it has just removed the folder
            except OSError as error:
                raise storage_error(folder, error) from error
            if not _take(self._descriptor):
                holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace")
                os.close(self._descriptor)
                raise UsageError(
                    folder,
                    got=f"is in use by another training, process {holder or 'unknown'}",
                    next_step="wait for its end, or choose another --out",
                )
            if _is_the_file(self._path, self._descriptor):
                break
            os.close(self._descriptor)
        with suppress(OSError):  # on a full disk; the lock itself holds
            os.truncate(self._descriptor, 0)
            os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Release the folder."""
        os.close(self._descriptor)


def leftovers(parent: Path) -> Iterator[Path]:
    """Yield the work folders of processes that ended before their runs were whole.

    Those that are kept to go on with are not among them.
    """
    with suppress(OSError):
        for folder in sorted(parent.glob(f".*{_PASSING}")):
            if is_dead(folder):
                yield folder


def is_dead(folder: Path) -> bool:
    """Return whether a folder is a work folder that no process holds."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _take(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Remove a work folder, as far as that is possible."""
    shutil.rmtree(folder, ignore_errors=True)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_the_file(path: Path, descriptor: int) -> bool:
    """Return whether the file that is held is still the one in the folder."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False
