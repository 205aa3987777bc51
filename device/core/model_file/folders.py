"""What a folder is, by what is in it: a model, runs, models, or photos."""

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


_MOST_LOOKED_AT = 20
"""This many files or folders show whether a folder is one of photos."""


def kind_of_folder(path: Path) -> tuple[ModelKind, tuple[str, ...]]:
    """Return what a folder is, and the names in it that matter.

    Returns:
        The kind; of "runs" the names of the runs, the newest first, and of "nested" those of the
            models, else none.

    Raises:
        OSError: it cannot be read.
    """
    if (kind := _model_folder(path)) is not None:
        return kind, ()
    with os.scandir(path) as entries:
        shown = [
            entry for entry in islice(entries, _MOST_ENTRIES) if not entry.name.startswith(".")
        ]
    if runs := [entry.name for entry in shown if os.path.exists(_trained(entry))]:
        return "runs", tuple(sorted(runs, key=lambda name: (-_written_ns(path / name), name)))
    if names := sorted(entry.name for entry in shown if _is_model(entry)):
        return "nested", tuple(names)
    return _kind_of_photos(shown) or "folder", ()


def _trained(entry: os.DirEntry[str]) -> str:
    return os.path.join(entry.path, TRAINED_FILE)


def _written_ns(run: Path) -> int:
    """Return when a run was made, nanoseconds; 0 where the system does not say."""
    try:
        return (run / TRAINED_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _kind_of_photos(entries: list[os.DirEntry[str]]) -> ModelKind | None:
    """Return "labelled" for photos in sub-folders, also of splits, "photos" for photos alone."""
    folders = [Path(entry) for entry in entries if entry.is_dir()][:_MOST_LOOKED_AT]
    if any(_has_pictures(folder, levels=1) for folder in folders):
        return "labelled"
    files = [entry for entry in entries if entry.is_file()]
    return "photos" if any(map(_is_picture, files[:_MOST_LOOKED_AT])) else None


def _has_pictures(folder: Path, *, levels: int) -> bool:
    """Return whether one of the first files is a picture, here or in this many levels below."""
    try:
        with os.scandir(folder) as entries:
            shown = [e for e in islice(entries, _MOST_ENTRIES) if not e.name.startswith(".")]
    except OSError:
        return False
    if any(_is_picture(each) for each in [e for e in shown if e.is_file()][:_MOST_LOOKED_AT]):
        return True
    inner = [Path(entry) for entry in shown if levels and entry.is_dir()]
    return any(_has_pictures(each, levels=levels - 1) for each in inner[:_MOST_LOOKED_AT])


def _is_picture(entry: os.DirEntry[str]) -> bool:
    try:
        with open(entry.path, "rb") as stream:
            return kind_of(stream.read(HEAD_BYTES)) == "picture"
    except OSError:
        return False


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
