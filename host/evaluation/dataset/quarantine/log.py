"""The log of a quarantine: a line for each move, on the disk before the file moves.

So whatever happens in between, the log names every file that may have moved, and where to.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgeinfer.device.core.errors import DataError, StorageError, storage_error
from edgeinfer.device.core.files import sync_folder

LOG = "moves.jsonl"
FILES = "files"
"""The folder in the quarantine that holds the files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One file's way into the quarantine.

    Attributes:
        path: where it was, relative to the data set's folder.
        to: where it is, relative to the quarantine.
        size: in bytes.
        sha256: of its content.
        reason: why it was moved.
    """

    path: str
    to: str
    size: int
    sha256: str
    reason: str


def quarantine_of(root: Path) -> Path:
    """Return where files of a data set go: `.NAME-quarantine` next to its folder.

    Hidden, since what is next to a folder may be read as a class or a split of the folder around;
    no reader of pictures looks into hidden folders.
    """
    root = Path(os.path.abspath(root))
    return root.parent / f".{root.name}-quarantine"


@contextmanager
def locked_log(quarantine: Path) -> Iterator[int]:
    """Open the log for this process alone; cut off a line that was not written to its end.

    Raises:
        DataError: another process works on the quarantine, or it is a link.
        StorageError: it cannot be written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(quarantine / LOG, flags, 0o644)
    except OSError as error:
        raise storage_error(quarantine / LOG, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(
                quarantine,
                got="is used by another process",
                next_step="wait until it has ended",
            ) from error
        content = _content(descriptor)
        # The file of an incomplete line did not move: it moves after the line is on the disk.
        os.ftruncate(descriptor, content.rfind(b"\n") + 1)
        sync_folder(quarantine)
        yield descriptor
    finally:
        os.close(descriptor)


def append(descriptor: int, move: Move, log: Path) -> None:
    """Write a line, onto the disk.

    Raises:
        StorageError: it cannot be written.
    """
    line = json.dumps(asdict(move), ensure_ascii=True).encode() + b"\n"
    try:
        # A short write leaves a line without an end, which the next opening cuts off.
        if os.write(descriptor, line) != len(line):
            raise StorageError(log, got="cannot be written", next_step="free some space")
        os.fsync(descriptor)
    except OSError as error:
        raise storage_error(log, error) from error


def read_moves(descriptor: int, log: Path) -> list[Move]:
    """Return the moves of an open log, in their order.

    Raises:
        DataError: it is not such a log, or names something outside the two folders.
    """
    moves = []
    for number, line in enumerate(_content(descriptor).splitlines(), start=1):
        try:
            parsed: Any = json.loads(line)
            move = Move(**parsed)
            fine = (
                all(isinstance(getattr(move, name), str) for name in ("path", "to", "sha256"))
                and isinstance(move.size, int)
                and _is_inside(move.path)
                and _is_inside(move.to)
                and PurePosixPath(move.to).parts[0] == FILES
            )
        except (ValueError, TypeError):
            fine = False
        if not fine:
            raise DataError(
                log,
                got=f"line {number} is damaged",
                expected="a move as `data check --fix` writes it",
                next_step=f"move the files in {log.parent / FILES} by hand",
            )
        moves.append(move)
    return moves


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\0" not in path


def _content(descriptor: int) -> bytes:
    pieces = []
    offset = 0
    while piece := os.pread(descriptor, 1 << 20, offset):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)
