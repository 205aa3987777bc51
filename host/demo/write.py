"""Files of a demo."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import storage_error


def write_file(path: Path, content: bytes) -> None:
    """Write a file that the next run makes again: nothing waits for the disk, thousands of times.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise storage_error(path, error) from error
