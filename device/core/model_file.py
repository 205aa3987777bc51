"""Reading model files: a `.edgebundle` or a `.tflite`, whichever the first bytes say it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edgeinfer.device.core.errors import ModelError

MAX_MODEL_BYTES = 2**31
"""Of a `.tflite`; FlatBuffers end there, and no edge board holds more."""

_ZIP_MAGIC = b"PK\x03\x04"
_EXPECTED = "a .edgebundle or .tflite file"


def is_bundle(path: Path) -> bool:
    """Return whether a file is a bundle by its first bytes or by its name.

    Raises:
        ModelError: it cannot be read, or is no regular file.
    """
    try:
        _check_status(path)
        with path.open("rb") as stream:
            return stream.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC or path.suffix == ".edgebundle"
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise _unreadable(path, error) from error


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a `.tflite` file, whatever they are.

    Raises:
        ModelError: it cannot be read, is no regular file, or has more than `MAX_MODEL_BYTES`.
    """
    try:
        size = _check_status(path).st_size
        if size > MAX_MODEL_BYTES:
            raise ModelError(path, got=f"has {size:,} bytes", expected="a model of at most 2 GiB")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _check_status(path: Path) -> os.stat_result:
    """Refuse what is no file before it is opened: opening a pipe waits, a device never ends."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(path, got="is no file", expected=_EXPECTED)
    return status


def _unreadable(path: Path, error: OSError | ValueError) -> ModelError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return ModelError(
        path, got=f"cannot be read ({reason})", expected=_EXPECTED, next_step="check the path"
    )
