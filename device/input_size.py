"""How large a picture a model takes, before the model is opened: a camera is set up meanwhile."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.errors import EdgeinferError


def model_input_size(path: Path) -> tuple[int, int] | None:
    """Return the (width, height) that a `.edgebundle` or `.tflite` takes.

    None where it cannot be told. What is wrong with the file is said when it is opened; this only
    looks at it.
    """
    import zipfile

    try:
        return _bundle_size(path) if zipfile.is_zipfile(path) else _tflite_size(path)
    except (OSError, EdgeinferError, zipfile.BadZipFile, KeyError, NotImplementedError):
        return None


def _bundle_size(path: Path) -> tuple[int, int] | None:
    import zipfile

    from edgeinfer.device.bundle.manifest import MANIFEST, parse_manifest
    from edgeinfer.device.bundle.reader import MAX_MANIFEST_BYTES

    with zipfile.ZipFile(path) as archive:
        if MANIFEST not in archive.namelist():
            return _tflite_size(path)  # a model with TFLite Metadata, which is a ZIP behind it
        if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
            return None
        return parse_manifest(archive.read(MANIFEST), subject=str(path)).preprocess.size


def _tflite_size(path: Path) -> tuple[int, int] | None:
    from edgeinfer.device.tflite_file import read_tflite

    inputs = read_tflite(path.read_bytes(), subject=str(path)).inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        return None
    _, height, width, _ = inputs[0].shape
    return width, height
