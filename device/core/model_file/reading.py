"""Reading a `.tflite` file, and what is said of files that cannot be read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edgeinfer.device.core.errors import ModelError

MAX_MODEL_BYTES = 2**31
"""Of a `.tflite`; FlatBuffers end there, and no edge board holds more."""

EXPECTED = "a .edgebundle or .tflite file"


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a `.tflite` file, whatever they are.

    Raises:
        ModelError: it cannot be read, is not a regular file, or has more than `MAX_MODEL_BYTES`.
    """
    try:
        status = path.stat()
        require_file(path, status, EXPECTED)
        if status.st_size > MAX_MODEL_BYTES:
            raise ModelError(
                path, got=f"has {status.st_size:,} bytes", expected="a model of at most 2 GiB"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise cannot_be_read(path, error, EXPECTED) from error


def require_file(path: Path, status: os.stat_result, expected: str) -> None:
    """Refuse what is not a file before it is opened: opening a pipe waits, a device never ends."""
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(path, got="is not a file", expected=expected)


def cannot_be_read(path: Path, error: OSError | ValueError, expected: str) -> ModelError:
    """Return the error for a path that the system does not give out."""
    return ModelError(
        path, got=unreadable(error), expected=expected, next_step=path_advice(path, error)
    )


def unreadable(error: OSError | ValueError) -> str:
    """Return in words why a file cannot be read."""
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read ({(getattr(error, 'strerror', None) or str(error)).lower()})"


def path_advice(path: Path, error: OSError | ValueError) -> str:
    """Return what to do about a model that cannot be read."""
    if isinstance(error, FileNotFoundError) and path.suffix == ".edgebundle":
        return "check the path, or make it with `edgeinfer convert`"
    return "check the path"
