"""Where the bytes of a bundle are: header, content, header, content, directory, end; nothing else.

ZIP readers look from the end and skip what comes before the first member, between members and
in comments. So one file can be an archive to one program and something else to another: a bundle
has no such places.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

MAX_MEMBERS = 2000
_MAX_DIRECTORY_BYTES = 1 << 20

_END = struct.Struct("<4s4H2LH")
"""The end record: signature, this disk, the directory's disk, members here, members, the
directory's bytes, its offset, the comment's bytes."""

_END_SIGNATURE = b"PK\x05\x06"

_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
"""It comes before the end record and leads readers to another one, anywhere in the file."""

_ENTRY_BYTES = 46
"""A member's entry in the directory, without its name."""

_LONGEST_COMMENT = 0xFFFF


class LayoutError(ValueError):
    """The bytes are not an archive, or one with room for something else."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Where the directory lies.

    Attributes:
        offset: of its first byte.
        size_bytes: of all its entries.
        members: how many there are.
    """

    offset: int
    size_bytes: int
    members: int


def read_end(stream: BinaryIO) -> Directory:
    """Read the end record, before anything that it announces is read.

    Args:
        stream: the file.

    Raises:
        LayoutError: the file does not end with it, or the directory is not right before it.
        OSError: the file cannot be read.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _END.size - _ZIP64_LOCATOR_BYTES))
    before, record = _split(stream.read())
    if len(record) < _END.size or not record.startswith(_END_SIGNATURE):
        stream.seek(max(0, size - _END.size - _LONGEST_COMMENT))
        if _END_SIGNATURE in stream.read():
            raise LayoutError("something follows its end")
        raise LayoutError("it is truncated or not a bundle")
    _, disk, first_disk, here, members, size_bytes, offset, comment = _END.unpack(record)
    if (disk, first_disk, comment) != (0, 0, 0) or here != members:
        raise LayoutError("its end has a comment, or names other files")
    if members > MAX_MEMBERS or size_bytes > _MAX_DIRECTORY_BYTES:
        raise LayoutError(f"it announces {members:,} members, expected at most {MAX_MEMBERS:,}")
    if offset + size_bytes + _END.size != size:
        raise LayoutError("its directory is not where its end says")
    if before.startswith(_ZIP64_LOCATOR):
        raise LayoutError("it has two directories")
    return Directory(offset=offset, size_bytes=size_bytes, members=members)


def _split(tail: bytes) -> tuple[bytes, bytes]:
    """Return what comes before the end record, and the record."""
    return tail[: -_END.size], tail[-_END.size :]


def check_layout(stream: BinaryIO, infos: Sequence[zipfile.ZipInfo], directory: Directory) -> None:
    """Refuse bytes that belong to no member, and headers that contradict the directory.

    Args:
        stream: the file.
        infos: what the directory says of each member, in its order; stored members.
        directory: where it lies.

    Raises:
        LayoutError: there are some.
        OSError: the file cannot be read.
    """
    if len(infos) != directory.members:
        raise LayoutError(f"its end counts {directory.members:,} members, not {len(infos):,}")
    place = 0
    for info in infos:
        if info.header_offset != place:
            raise LayoutError(f"member '{info.filename}' is not right behind the one before it")
        if info.flag_bits or info.extra or info.comment:
            raise LayoutError(f"member '{info.filename}' has flags, a comment or more fields")
        expected = info.FileHeader(zip64=False)
        stream.seek(place)
        if stream.read(len(expected)) != expected:
            raise LayoutError(f"the header of member '{info.filename}' contradicts the directory")
        place += len(expected) + info.file_size
    if place != directory.offset:
        raise LayoutError("something is between its last member and its directory")
    if directory.size_bytes != sum(_ENTRY_BYTES + len(info.filename) for info in infos):
        raise LayoutError("something in its directory is not a member")
