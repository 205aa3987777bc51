"""Files that appear by rename when complete, and where edgeinfer keeps its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from edgeinfer.device.core.errors import storage_error

BOARD_BUNDLE = Path("/var/lib/edgeinfer/current")
"""Where a board's installed bundle is: the bundle itself or a folder that holds one."""


def data_home() -> Path:
    """Return `$XDG_DATA_HOME/edgeinfer`, by default `~/.local/share/edgeinfer`.

    Source: XDG Base Directory Specification 0.8: relative paths in the variable are ignored.
    """
    return _base_folder("XDG_DATA_HOME", Path.home() / ".local" / "share") / "edgeinfer"


def cache_home() -> Path:
    """Return `$XDG_CACHE_HOME/edgeinfer`, by default `~/.cache/edgeinfer`; source as above.

    What is in it can be made again, so removing it is always safe.
    """
    return _base_folder("XDG_CACHE_HOME", Path.home() / ".cache") / "edgeinfer"


def _base_folder(variable: str, default: Path) -> Path:
    base = os.environ.get(variable, "")
    return Path(base) if os.path.isabs(base) else default


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Open a temporary file next to `path` that replaces it when the block ends well.

    A reader sees the old file or the whole new one, never a part; on any error, a full disk
    included, nothing is left behind.

    Args:
        path: the file.
        mode: its permissions, but for those that the process's umask takes away.

    Raises:
        StorageError: the file cannot be written.
    """
    import tempfile  # it imports much, and most commands write nothing

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode & ~_umask())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a whole file so that it appears complete or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    with atomic_file(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    """Read the process's umask; there is no way to read it without setting it for an instant."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
