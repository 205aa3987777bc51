"""A file that lines are appended to: whole lines only, and never more than a stated size."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from pathlib import Path

from edgeinfer.device.core.errors import StorageError, storage_error

LOOK_EVERY_S = 1.0
"""How often it is looked whether the file was moved away or removed by others."""


class LineFile:
    """Appends lines to a file, a pipe or a device; opens it at the first line.

    A file that an earlier run left is continued; half a line at its end, of a power cut, is cut
    off. When it would exceed `max_bytes` it becomes `NAME.1`, replacing an older one, and a
    new one begins. After others move or remove a file, a new one begins, too.

    Args:
        path: the file; its folder is made.
        begins: how the first line of every such file begins; one that begins otherwise is left as
            it is and refused.
        header: the first line of a new file, if it has one.
        earlier: the first lines that earlier versions wrote. Such a file becomes `NAME.1`.
        max_bytes: the most that a file may hold.
    """

    def __init__(
        self,
        path: Path,
        *,
        begins: str,
        max_bytes: int,
        header: str | None = None,
        earlier: tuple[str, ...] = (),
    ) -> None:
        self._path = path
        self._begins = begins.encode()
        self._header = None if header is None else header.encode()
        self._earlier = tuple(line.encode() for line in earlier)
        self._max_bytes = max_bytes
        self._descriptor: int | None = None
        self._regular = False
        self._size = 0
        self._looked_at = 0.0

    def check(self) -> None:
        """Refuse a place that can never be written, before the loop begins.

        Raises:
            StorageError: the folder or file cannot be written, or holds something else. A full
                disk is not a reason: it may be emptied.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_file():
                with self._path.open("r+b") as file:
                    self._refuse_other_content(file.read(self._most_bytes()))
            elif self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            elif not os.access(self._path.parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise storage_error(self._path, error) from error

    def write(self, text: str) -> None:
        """Append whole lines; a reader of the file sees all of them or none.

        Raises:
            StorageError: there is no room, or the device failed; the next call opens it again.
        """
        data = text.encode("utf-8", "backslashreplace")
        try:
            self._look()
            if self._descriptor is None:
                self._open()
            if self._regular and self._size and self._size + len(data) > self._max_bytes:
                self._rotate()
            assert self._descriptor is not None
            self._append(self._descriptor, data)
        except OSError as error:
            self.close()
            raise storage_error(self._path, error) from error
        except StorageError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _look(self) -> None:
        """Close a file that no longer has its name."""
        now = time.monotonic()
        if self._descriptor is None or not self._regular or now < self._looked_at + LOOK_EVERY_S:
            return
        self._looked_at = now
        try:
            same = os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except FileNotFoundError:
            same = False
        if not same:
            self.close()

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # To open a pipe waits for its reader, unless it is asked not to.
        flags = os.O_RDWR if self._path.is_file() or not self._path.exists() else os.O_WRONLY
        flags |= os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        try:
            self._descriptor = os.open(self._path, flags, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            raise StorageError(
                self._path, got="is a pipe that nobody reads", next_step="start its reader"
            ) from error
        os.set_blocking(self._descriptor, True)
        self._regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._looked_at = time.monotonic()
        if self._regular:
            self._lock(self._descriptor)
            self._size = self._cut_partial_line(self._descriptor)
            if os.pread(self._descriptor, self._most_bytes(), 0).startswith(self._earlier):
                self._rotate()
                return
            if self._size == 0 and self._header is not None:
                self._append(self._descriptor, self._header)

    def _lock(self, descriptor: int) -> None:
        """Refuse a file that another loop writes: each would cut and rotate the other's lines."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                self._path,
                got="is written by another program",
                next_step="give each loop its own file",
            ) from error
        except OSError:
            pass  # a file system without locks

    def _cut_partial_line(self, descriptor: int) -> int:
        """Cut what follows the last line's end; return the size that is left."""
        size = os.fstat(descriptor).st_size
        self._refuse_other_content(os.pread(descriptor, self._most_bytes(), 0))
        end = size
        while end > 0:
            begin = max(0, end - 65536)
            newline = os.pread(descriptor, end - begin, begin).rfind(b"\n")
            if newline >= 0:
                end = begin + newline + 1
                break
            end = begin
        if end < size:
            os.ftruncate(descriptor, end)
        return end

    def _most_bytes(self) -> int:
        """Return how many bytes tell whose file it is."""
        return max(map(len, (self._begins, *self._earlier)))

    def _refuse_other_content(self, beginning: bytes) -> None:
        if beginning.startswith(self._earlier):
            return
        if not self._begins.startswith(beginning[: len(self._begins)]):
            raise StorageError(
                self._path,
                got="holds something else",
                expected="no file, or one of an earlier run",
                next_step="choose another name",
            )

    def _rotate(self) -> None:
        self.close()
        os.replace(self._path, self._path.with_name(self._path.name + ".1"))
        self._open()

    def _append(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            if self._regular:
                # A full disk takes the part of a line that still fits.
                os.ftruncate(descriptor, self._size)
            raise
        self._size += len(data)
