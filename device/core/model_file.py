"""What kind of model a file or folder is, by its content and then its name, and reading it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

from edgeinfer.device.core.errors import ModelError

MAX_MODEL_BYTES = 2**31
"""Of a `.tflite`; FlatBuffers end there, and no edge board holds more."""

TRAINED_FILE = "trained.json"
"""What a folder of `edgeinfer train` is known by."""

HEAD_BYTES = 64
TFLITE_IDENTIFIER = b"TFL3"

ModelKind = Literal["bundle", "tflite", "keras", "hdf5", "saved-model", "run", "folder", "unknown"]

IN_WORDS: dict[ModelKind, str] = {
    "bundle": "a bundle",
    "tflite": "a .tflite model",
    "keras": "a Keras model",
    "hdf5": "an HDF5 file",
    "saved-model": "a SavedModel",
    "run": "a folder that `edgeinfer train` made",
    "folder": "a folder",
    "unknown": "not a model that edgeinfer knows",
}
CONVERTIBLE: tuple[ModelKind, ...] = ("keras", "hdf5", "saved-model", "run")
"""What no board runs, but `edgeinfer convert` takes."""

_BY_NAME: dict[str, ModelKind] = {
    ".edgebundle": "bundle",
    ".tflite": "tflite",
    ".keras": "keras",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}
_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_NAME_OFFSET = 30
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_KERAS_MEMBERS = (b"metadata.json", b"config.json", b"model.weights.h5")
_EXPECTED = "a .edgebundle or .tflite file"


def model_kind(path: Path, *, expected: str = _EXPECTED) -> ModelKind:
    """Return what a path is: by its first bytes or what is in it, otherwise by its name.

    Args:
        path: a file or a folder.
        expected: what an error says that should be there.

    Raises:
        ModelError: it cannot be read, or is not a file or folder.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _folder_kind(path)
        _require_file(path, status, expected)
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise _unreadable(path, error, expected) from error
    by_content, by_name = kind_of(head), _BY_NAME.get(path.suffix.lower(), "unknown")
    # A Keras model that was packed again may begin with any of its members.
    if by_content == "unknown" or (by_content, by_name) == ("bundle", "keras"):
        return by_name
    return by_content


def kind_of(head: bytes) -> ModelKind:
    """Return what a file is that begins with `HEAD_BYTES` such bytes; any ZIP may be a bundle."""
    if head.startswith(_ZIP_MAGIC):
        return "keras" if head[_ZIP_NAME_OFFSET:].startswith(_KERAS_MEMBERS) else "bundle"
    if head.startswith(_HDF5_MAGIC):
        return "hdf5"
    return "tflite" if head[4:8] == TFLITE_IDENTIFIER else "unknown"


def is_bundle(path: Path) -> bool:
    """Return whether a model for a board is to be opened as a bundle, and not as a `.tflite`.

    What is named `.edgebundle` is, whatever is in it: opening it reports what is wrong.

    Raises:
        ModelError: it cannot be read, is not a regular file, or a model that must be converted
            first.
    """
    kind = model_kind(path)
    if kind in CONVERTIBLE:
        raise ModelError(
            path,
            got=f"is {IN_WORDS[kind]}",
            expected=_EXPECTED,
            next_step="make a bundle of it with `edgeinfer convert`",
        )
    if kind == "folder":
        raise ModelError(path, got="is not a file", expected=_EXPECTED)
    return kind == "bundle" or _BY_NAME.get(path.suffix.lower()) == "bundle"


def read_model_file(path: Path) -> bytes:
    """Return the bytes of a `.tflite` file, whatever they are.

    Raises:
        ModelError: it cannot be read, is not a regular file, or has more than `MAX_MODEL_BYTES`.
    """
    try:
        status = path.stat()
        _require_file(path, status, _EXPECTED)
        if status.st_size > MAX_MODEL_BYTES:
            raise ModelError(
                path, got=f"has {status.st_size:,} bytes", expected="a model of at most 2 GiB"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error, _EXPECTED) from error


def _folder_kind(path: Path) -> ModelKind:
    if (path / "saved_model.pb").exists():
        return "saved-model"
    return "run" if (path / TRAINED_FILE).exists() else "folder"


def _require_file(path: Path, status: os.stat_result, expected: str) -> None:
    """Refuse what is not a file before it is opened: opening a pipe waits, a device never ends."""
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(path, got="is not a file", expected=expected)


def _unreadable(path: Path, error: OSError | ValueError, expected: str) -> ModelError:
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
