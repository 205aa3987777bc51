"""Where captured pictures go: class folders, or pictures with a table of values.

Names are the time of capture in UTC, so that they sort by it and a split by time can be made. A
picture appears when it is complete, and none is ever replaced.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.core.files import atomic_file

TARGETS_FILE = "targets.csv"
PICTURES = "pictures"
"""The folder of pictures that have a value."""


class Saved(NamedTuple):
    """A picture that was saved.

    Attributes:
        path: where it is.
        label: its label, or its value as text.
        table_bytes: how long the table was before it.
        digest: of its pixels.
    """

    path: Path
    label: str
    table_bytes: int
    digest: bytes


class CaptureFolder:
    """A folder that pictures are saved into.

    Args:
        folder: which.
        add: save into a folder that is not empty.
        value: the name of the value that each picture has; None for labels.
        keep_free_bytes: how much of the disk stays free for others.

    Raises:
        StorageError: it is not empty and `add` is not given, it cannot be written, it has a table
            of another value, or the disk is full.
    """

    def __init__(self, folder: Path, *, add: bool, value: str | None, keep_free_bytes: int) -> None:
        self.folder = folder
        self._value = value
        self._keep_free_bytes = keep_free_bytes
        self._made = not folder.exists()
        try:
            if os.path.lexists(folder) and not folder.is_dir():
                raise StorageError(folder, got="is a file", expected="a folder for the pictures")
            if folder.is_dir() and any(folder.iterdir()) and not add:
                raise StorageError(
                    folder,
                    got="is there already, and not empty",
                    expected="a new folder",
                    next_step="choose another name, or add to it with --add",
                )
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        if value is not None:
            self._check_table(value)
        self._make_room(0)

    @property
    def _table(self) -> Path:
        return self.folder / TARGETS_FILE

    def _check_table(self, value: str) -> None:
        """Make sure that the table, if there is one, is of this value, and ends with a line."""
        try:
            data = self._table.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(self._table, error) from error
        head = data.split(b"\n", 1)[0].strip().decode("utf-8", "replace")
        if head != f"file,{value}":
            raise StorageError(
                self._table,
                got=f"has the columns {head[:60]}",
                expected=f"file,{value}",
                next_step="name the value as there, or choose another folder",
            )
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:  # a power cut left its last line incomplete
            self._cut_table(len(whole))

    def save(
        self, encoded: bytes, moment: datetime, *, label: str, suffix: str, digest: bytes
    ) -> Saved:
        """Write a picture, and its line in the table.

        Args:
            encoded: the file's bytes.
            moment: when it was captured, in UTC.
            label: its label; of a value its number as text.
            suffix: how its name ends, such as ".jpg".
            digest: of its pixels.

        Raises:
            StorageError: it cannot be written, or would leave too little of the disk free.
        """
        folder = self.folder / (label if self._value is None else PICTURES)
        self._make_room(len(encoded))
        path = _free_path(folder, moment, suffix)
        with atomic_file(path) as stream:
            stream.write(encoded)
        table_bytes = 0
        if self._value is not None:
            try:
                table_bytes = self._add_line(f"{PICTURES}/{path.name},{label}")
            except OSError as error:
                with suppress(OSError):
                    path.unlink()
                raise storage_error(self._table, error) from error
        return Saved(path, label, table_bytes, digest)

    def take_back(self, saved: Saved) -> None:
        """Remove a picture that was saved last, and its line in the table.

        Raises:
            StorageError: it cannot be removed.
        """
        if self._value is not None:
            self._cut_table(saved.table_bytes)
        try:
            saved.path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(saved.path, error) from error

    def close(self) -> None:
        """Remove folders that this made and nothing was saved into."""
        if self._made:
            with suppress(OSError):
                for inner in self.folder.iterdir():
                    inner.rmdir()
                self.folder.rmdir()

    def _add_line(self, line: str) -> int:
        """Add a line to the table; return how long that was before."""
        with self._table.open("ab") as stream:
            before = stream.tell()
            head = "" if before else f"file,{self._value}\n"
            stream.write(f"{head}{line}\n".encode())
            stream.flush()
            os.fsync(stream.fileno())
        return before

    def _cut_table(self, length: int) -> None:
        try:
            os.truncate(self._table, length)
        except OSError as error:
            raise storage_error(self._table, error) from error

    def _make_room(self, needed_bytes: int) -> None:
        try:
            disk = os.statvfs(self.folder)
        except OSError as error:
            raise storage_error(self.folder, error) from error
        free_bytes = disk.f_bavail * disk.f_frsize
        if free_bytes < self._keep_free_bytes + needed_bytes:
            raise StorageError(
                self.folder,
                got=f"{free_bytes / 1e6:,.3g} MB are free on the disk",
                expected=f"{self._keep_free_bytes / 1e6:,.3g} MB to stay free",
                next_step="free some space or lower --keep-free-mb",
            )


def _free_path(folder: Path, moment: datetime, suffix: str) -> Path:
    """Return a path that nothing has, by the time in UTC to the millisecond."""
    utc = moment.astimezone(timezone.utc)
    stem = f"{utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03d}Z"
    path, number = folder / f"{stem}{suffix}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path
