"""What a folder is, by what is in it."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from edgeinfer.device.core.model_file.kinds import BY_NAME, ModelKind
from edgeinfer.device.core.model_file.magic import HEAD_BYTES, kind_of

TRAINED_FILE = "trained.json"
"""What a folder of `edgeinfer train` is known by."""

_MOST_ENTRIES = 1000
"""A folder with more is one of pictures; the rest is not looked at."""


def kind_of_folder(path: Path) -> tuple[ModelKind, tuple[str, ...]]:
    """Return what a folder is, and for "nested" the names of the models in it.

    Raises:
        OSError: it cannot be read.
    """
    if (kind := _model_folder(path)) is not None:
        return kind, ()
    with os.scandir(path) as entries:
        names = sorted(
            entry.name
            for entry in islice(entries, _MOST_ENTRIES)
            if not entry.name.startswith(".") and _is_model(entry)
        )
    return ("nested", tuple(names)) if names else ("folder", ())


def _is_model(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir():
        return _model_folder(Path(entry)) is not None
    return Path(entry.name).suffix.lower() in BY_NAME


def _model_folder(path: Path) -> ModelKind | None:
    """Return what a folder is that is a model as a whole; None for any other."""
    if (path / "saved_model.pb").exists():
        return "saved-model"
    if (path / TRAINED_FILE).exists():
        return "run"
    if (path / "Data" / "com.apple.CoreML").is_dir() or (path / "coremldata.bin").exists():
        return "coreml"  # .mlpackage, and .mlmodelc, which is compiled
    return "tfjs" if _is_tfjs(path / "model.json") else None


def _is_tfjs(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return kind_of(stream.read(HEAD_BYTES)) == "tfjs"
    except OSError:
        return False
