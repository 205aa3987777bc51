"""A folder of recordings: whole files only, never more than stated, the oldest go first.

Names are `STEM-00000042-20261124T120305Z.jpg`: the number tells the order, as a board's clock may
jump; files with other names are never touched. A file that is being written has a hidden name that
holds the process's number, so that a later run can remove what a killed one left.
"""

from __future__ import annotations

import errno
import os
import re
from collections import deque
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.core.files import sync_folder

LEAST_FREE_BYTES = 2**20
"""So much stays free in any case: a video that is being written needs room for its end."""


class _Recording(NamedTuple):
    number: int
    path: Path
    size: int


class RecordFolder:
    """Names recordings, makes room for them, and lets them appear when they are complete.

    Args:
        folder: made when the first recording begins.
        stem: how the names of these recordings begin.
        suffix: how they end, such as ".jpg".
        max_bytes: the most that they hold together, the one that is being written included.
        keep_free_bytes: how much of the disk stays free for others.
    """

    def __init__(
        self, folder: Path, *, stem: str, suffix: str, max_bytes: int, keep_free_bytes: int
    ) -> None:
        self._folder = folder
        self._stem = stem
        self._suffix = suffix
        self._max_bytes = max_bytes
        self._keep_free_bytes = max(keep_free_bytes, LEAST_FREE_BYTES)
        name = rf"{re.escape(stem)}-(\d{{8,}})-\d{{8}}T\d{{6}}Z{re.escape(suffix)}"
        self._whole = re.compile(name)
        self._part = re.compile(rf"\.(?:{name}|{re.escape(stem + suffix)})\.(\d+)\.part\..*")
        self._recordings: deque[_Recording] | None = None
        self._last_number = 0

    def check(self) -> None:
        """Refuse a place that can never be written, before the loop begins.

        Raises:
            StorageError: the folder cannot be made or written. A full disk is not a reason: it may
                be emptied.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self._folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise storage_error(self._folder, error) from error

    def begin(self, moment: datetime, *, name: str | None = None) -> Path:
        """Return the hidden path of a new recording, which the caller writes.

        Args:
            moment: when it was captured, in UTC; part of its name.
            name: its whole name, for one that is separate from the others.

        Raises:
            StorageError: there is no room even without older recordings, or the folder cannot be
                made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._recordings is None:
                self._recordings = self._scan()
        except OSError as error:
            raise storage_error(self._folder, error) from error
        self.make_room(0)
        if name is None:
            self._last_number += 1
            name = f"{self._stem}-{self._last_number:08d}-{moment:%Y%m%dT%H%M%SZ}{self._suffix}"
        # Encoders choose the format by the end of the name.
        return self._folder / f".{name}.{os.getpid()}.part{self._suffix}"

    def make_room(self, needed_bytes: int, *, leave_free: bool = True) -> None:
        """Delete the oldest recordings until one of `needed_bytes`, which is being written, has
        room.

        Args:
            needed_bytes: its size, of which a part may be on the disk already.
            leave_free: look at what stays free on the disk, too.

        Raises:
            StorageError: there would not be enough even without them, or one cannot be deleted.
        """
        recordings = self._recordings or deque()
        total = sum(recording.size for recording in recordings)
        while total + needed_bytes > self._max_bytes and recordings:
            total -= self._delete_oldest(recordings)
        if needed_bytes > self._max_bytes:
            raise StorageError(
                self._folder,
                got=f"there is no room for a recording of {needed_bytes / 1e6:,.3g} MB",
                expected=f"at most {self._max_bytes / 1e6:,.3g} MB of recordings",
                next_step="raise --record-max-mb",
            )
        if leave_free:
            self._leave_free(recordings)

    def _leave_free(self, recordings: deque[_Recording]) -> None:
        free_bytes = self._free_bytes()
        # Where others fill the disk, to delete everything that was recorded would not help.
        if free_bytes + sum(one.size for one in recordings) >= self._keep_free_bytes:
            while self._free_bytes() < self._keep_free_bytes and recordings:
                self._delete_oldest(recordings)
            free_bytes = self._free_bytes()
        if free_bytes < self._keep_free_bytes:
            raise StorageError(
                self._folder,
                got=f"{free_bytes / 1e6:,.3g} MB are free on the disk",
                expected=f"{self._keep_free_bytes / 1e6:,.3g} MB to stay free",
                next_step="free some space or lower --record-keep-free-mb",
            )

    def finish(self, hidden: Path) -> Path:
        """Give a complete recording its name, when its bytes are on the disk; return the path.

        Raises:
            StorageError: it cannot be written to the disk, and was removed.
        """
        name = hidden.name[1:].rpartition(".part")[0].rpartition(".")[0]
        path = self._folder / name
        try:
            descriptor = os.open(hidden, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            os.replace(hidden, path)
            sync_folder(self._folder)
        except OSError as error:
            discard(hidden)
            raise storage_error(path, error) from error
        if self._recordings is not None and self._whole.fullmatch(name):
            self._recordings.append(_Recording(self._last_number, path, size))
        return path

    def _scan(self) -> deque[_Recording]:
        """Find what earlier runs left, the oldest first, and remove what they did not finish."""
        found: list[_Recording] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                whole, part = self._whole.fullmatch(entry.name), self._part.fullmatch(entry.name)
                if whole is not None:
                    self._last_number = max(self._last_number, int(whole[1]))
                if whole is not None and entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    found.append(_Recording(int(whole[1]), Path(entry.path), size))
                elif part is not None and not _alive(int(part[2])):
                    discard(Path(entry.path))
        return deque(sorted(found))

    def _delete_oldest(self, recordings: deque[_Recording]) -> int:
        """Delete the oldest recording and return its size."""
        oldest = recordings[0]
        try:
            with suppress(FileNotFoundError):
                os.unlink(oldest.path)
        except OSError as error:
            raise storage_error(oldest.path, error) from error
        recordings.popleft()
        return oldest.size

    def _free_bytes(self) -> int:
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise storage_error(self._folder, error) from error
        return disk.f_bavail * disk.f_frsize


def discard(path: Path) -> None:
    """Remove a useless file, if that can be done."""
    with suppress(OSError):
        os.unlink(path)


def _alive(process: int) -> bool:
    """Return whether another process of that number runs."""
    if process == os.getpid():
        return False  # this process has not begun to write: it is of an earlier boot
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
