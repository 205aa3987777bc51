"""Reading parts of a file that may be damaged or hostile, in bounds."""

from __future__ import annotations

import struct
from typing import BinaryIO

MOST_READS = 50_000
"""How many parts of a file are read: fragments of a recording of some hours fit."""
MOST_BYTES = 4 * 2**20
"""How many bytes of it, over all."""


class UnclearError(Exception):
    """The file is not as its format says, or too much of it would have to be read."""


class Parts:
    """A file of which parts are read.

    Args:
        file: the open file.
        size: its length in bytes.

    Attributes:
        size: see above.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self._reads_left = MOST_READS
        self._bytes_left = MOST_BYTES

    def at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on.

        Raises:
            UnclearError: there are fewer, or enough has been read already.
            OSError: the file cannot be read.
        """
        self._reads_left -= 1
        self._bytes_left -= length
        if offset < 0 or length < 0 or offset + length > self.size:
            raise UnclearError
        if self._reads_left < 0 or self._bytes_left < 0:
            raise UnclearError
        self._file.seek(offset)
        part = self._file.read(length)
        if len(part) != length:
            raise UnclearError
        return part

    def numbers(self, layout: str, offset: int) -> tuple[int, ...]:
        """Return the integers that `struct` unpacks at `offset`; raises as `at`."""
        return struct.unpack(layout, self.at(offset, struct.calcsize(layout)))
