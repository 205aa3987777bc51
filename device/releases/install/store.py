"""Files that arrived whole: wheels and bundles, each under its SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from edgeinfer.device.core.errors import ReleaseError, storage_error
from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.releases.disk import check_space
from edgeinfer.device.releases.paths import Layout

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART_BYTES = 1 << 20


def is_sha256(text: object) -> bool:
    """Return whether this is a SHA-256 in lower-case hexadecimal."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


class Readable(Protocol):
    """What a file's content comes from."""

    def read(self, count: int, /) -> bytes:
        """Return at most this many bytes; none at the end."""


class _Part:
    """The next bytes of a stream, as a separate stream.

    Args:
        stream: the whole.
        size_bytes: how many of its bytes belong to the part.
    """

    def __init__(self, stream: BinaryIO, size_bytes: int) -> None:
        self._stream = stream
        self._left_bytes = size_bytes

    def read(self, count: int, /) -> bytes:
        part = self._stream.read(min(count, self._left_bytes))
        self._left_bytes -= len(part)
        return part

    def skip(self) -> None:
        """Skip what was not read."""
        while self.read(_PART_BYTES):
            pass


def receive_all(layout: Layout, files: Sequence[tuple[str, int]], stream: BinaryIO) -> int:
    """Store files that come one after another; return how many were not there.

    Those before one that fails are kept.

    Args:
        layout: where.
        files: SHA-256 and size in bytes of each.
        stream: gives the files' content, and ends with the last.

    Raises:
        ReleaseError: the content of one is another one, or was cut; nothing of that one remains.
        StorageError: there is no room for one; nothing of that one remains.
    """
    new = 0
    for sha256, size_bytes in files[:-1]:
        part = _Part(stream, size_bytes)
        new += receive(layout, sha256, size_bytes, part)
        part.skip()
    for sha256, size_bytes in files[-1:]:
        new += receive(layout, sha256, size_bytes, stream)
    return new


def receive(layout: Layout, sha256: str, size_bytes: int, stream: Readable) -> bool:
    """Store a file; False when it is there already.

    Args:
        layout: where.
        sha256: of the content.
        size_bytes: of the content.
        stream: gives the content, and ends with it.

    Raises:
        ReleaseError: the content is another one, or was cut; nothing of it remains.
        StorageError: there is no room for it; nothing of it remains.
    """
    if not is_sha256(sha256):
        raise ReleaseError(
            "receive", got=f"{sha256} is not a SHA-256", expected="64 hexadecimal digits"
        )
    path = layout.store / sha256
    try:
        if path.is_file() and path.stat().st_size == size_bytes and file_sha256(path) == sha256:
            return False
        check_space(layout.store, size_bytes, subject=f"a file of {size_bytes / 1e6:,.1f} MB")
    except OSError as error:
        raise storage_error(path, error) from error
    digest, left = hashlib.sha256(), size_bytes
    with atomic_file(path) as file:
        while part := stream.read(min(_PART_BYTES, left + 1)):
            if len(part) > left:
                raise ReleaseError(
                    f"file {sha256[:12]}", got="more bytes", expected=f"{size_bytes:,}"
                )
            left -= len(part)
            digest.update(part)
            file.write(part)
        if left:
            raise ReleaseError(
                f"file {sha256[:12]}",
                got=f"{size_bytes - left:,} bytes",
                expected=f"{size_bytes:,}",
                next_step="send it again",
            )
        if digest.hexdigest() != sha256:
            raise ReleaseError(
                f"file {sha256[:12]}",
                got=f"content with SHA-256 {digest.hexdigest()[:12]}...",
                expected=f"{sha256[:12]}...",
                next_step="send it again",
            )
    return True


def stored_sizes(layout: Layout) -> dict[str, int]:
    """Return the size of every stored file, by its SHA-256."""
    try:
        paths = [path for path in layout.store.iterdir() if is_sha256(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {path.name: path.stat().st_size for path in sorted(paths)}


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            digest.update(part)
    return digest.hexdigest()
