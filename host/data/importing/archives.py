"""Untrusted ZIPs, unpacked without harm.

Nothing is written outside of the folder, no link is made, and no more than what the directory of
the ZIP announces, which is bounded.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import DataError, StorageError, storage_error
from edgeinfer.device.pictures.decode import MAX_FILE_BYTES
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES
from edgeinfer.host.data.importing.formats.coco import MAX_JSON_BYTES
from edgeinfer.host.data.importing.found import Record

MAX_MEMBERS = 2_000_000
SAFE_BYTES = 2**30
"""So much may come out of any ZIP."""
MAX_RATIO = 100
"""This many bytes may come out of each byte of a larger one; photographs hardly shrink at all."""
KEEP_FREE_BYTES = 100 * 2**20

_WANTED = IMAGE_SUFFIXES | {
    *(".xml", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".csv", ".tsv", ".names", ".labels"),
}
_DRIVE = re.compile(r"[A-Za-z]:")
_PIECE = 2**20
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, struct.error, OverflowError),
    *(NotImplementedError, UnicodeDecodeError, ValueError),
)


def is_zip(path: Path) -> bool:
    """Return whether a file is a ZIP, by its content."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}
    except OSError:
        return False


def unpack(path: Path, into: Path, record: Record, progress: Progress | None = None) -> None:
    """Unpack the pictures and labels of a ZIP.

    Args:
        path: the ZIP.
        into: an empty folder.
        record: takes what is left out.
        progress: shows how far it is.

    Raises:
        DataError: it is damaged or encrypted, a name leads out of it, or it is a bomb.
        StorageError: there is no room for it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive, record)
            _refuse_bomb(path, members, into)
            if progress is not None:
                progress.start(f"unpacking {path.name}", len(members))
            for name, member in members.items():
                _write(archive, member, into / name, path)
                if progress is not None:
                    progress.advance()
    except RuntimeError as error:
        raise DataError(
            path, got=f"cannot be unpacked ({error})", next_step="unpack it yourself"
        ) from error
    except _DAMAGED as error:
        raise DataError(
            path, got=f"is a damaged ZIP ({error})", next_step="download it again"
        ) from error
    except FileNotFoundError as error:
        raise DataError(path, got="does not exist", next_step="check the path") from error


def _members(path: Path, archive: zipfile.ZipFile, record: Record) -> dict[str, zipfile.ZipInfo]:
    """Return what is unpacked, by its path.

    Raises:
        DataError: a name leads out of the ZIP, or a member is encrypted.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise DataError(
            path, got=f"has {len(infos):,} members", expected=f"at most {MAX_MEMBERS:,}"
        )
    for member in infos:
        name = member.filename.replace("\\", "/")
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or _DRIVE.match(name):
            raise DataError(
                path,
                got=f"has a member '{member.filename}', whose path leads out of it",
                expected="paths below one folder",
                next_step="do not trust this file",
            )
        if member.is_dir() or name.endswith("/"):
            continue
        if stat.S_IFMT(member.external_attr >> 16) == stat.S_IFLNK:
            record.left_out("link in the ZIP", name)
            continue
        if "__MACOSX" in parts or any(part.startswith(".") and part != "." for part in parts):
            continue
        plain = "/".join(part for part in parts if part not in {"", "."})
        suffix = os.path.splitext(plain)[1].lower()
        if suffix not in _WANTED:
            record.left_out("file that is not a picture and not labels", name)
        elif member.flag_bits & 1:
            raise DataError(
                path, got="is encrypted", next_step="unpack it yourself, and give the folder"
            )
        elif plain in found:
            record.left_out("second member of the same name", name)
        else:
            found[plain] = member
    return found


def _refuse_bomb(path: Path, members: dict[str, zipfile.ZipInfo], into: Path) -> None:
    packed_bytes = path.stat().st_size
    total_bytes = sum(member.file_size for member in members.values())
    if total_bytes > max(SAFE_BYTES, MAX_RATIO * packed_bytes):
        raise DataError(
            path,
            got=f"has {packed_bytes / 1e6:,.3g} MB and would become {total_bytes / 1e6:,.3g} MB",
            expected=f"at most {MAX_RATIO} times its size",
            next_step="do not trust this file; if you made it, unpack it yourself",
        )
    for name, member in members.items():
        largest = MAX_JSON_BYTES if name.lower().endswith(".json") else MAX_FILE_BYTES
        if member.file_size > largest:
            raise DataError(
                path,
                got=f"its member '{name}' has {member.file_size / 1e6:,.3g} MB",
                expected=f"at most {largest / 1e6:,.0f} MB",
            )
    free_bytes = shutil.disk_usage(into).free - KEEP_FREE_BYTES
    if total_bytes > free_bytes:
        raise StorageError(
            into.parent,
            got=f"has {max(0, free_bytes) / 1e6:,.3g} MB of room",
            expected=f"{total_bytes / 1e6:,.3g} MB for what {path.name} holds",
            next_step="free some space or choose another place",
        )


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, path: Path) -> None:
    """Write one member, no more of it than it announces."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        stream = place.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(
            path,
            got=f"has two members for '{member.filename}', or a file and a folder of one name",
            expected="one of each name",
            next_step="unpack it yourself, and rename one",
        ) from error
    except OSError as error:
        raise storage_error(place, error) from error
    left = member.file_size
    with stream, archive.open(member) as source:
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise zipfile.BadZipFile(f"'{member.filename}' is larger than it announces")
            try:
                stream.write(piece)
            except OSError as error:
                raise storage_error(place, error) from error
