"""Folders that take long to make and are kept: one for each set of inputs, complete or missing."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeinfer.device.core.errors import storage_error


def kept_folder(
    home: Path, name: str, inputs: Sequence[str], build: Callable[[Path], None]
) -> Path:
    """Return the folder for these inputs; `build` fills it at the first call.

    Two processes may both build one; the first to be done is kept.

    Args:
        home: where such folders are.
        name: how the folder's name begins.
        inputs: everything that its content depends on.
        build: is called with an empty folder.

    Raises:
        StorageError: it cannot be written.
        Exception: what `build` raised; then nothing is left.
    """
    digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    folder = home / f"{name}-{digest}"
    if folder.is_dir():
        return folder
    try:
        home.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=home, prefix=".building-"))
    except OSError as error:
        raise storage_error(home, error) from error
    try:
        made = building / "made"
        made.mkdir()
        build(made)
        made.rename(folder)
    except OSError as error:
        if not folder.is_dir():
            raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder
