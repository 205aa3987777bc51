"""How large a picture a model takes, before the model is opened: a camera is set up meanwhile."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.model_file import is_bundle, read_model_file
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.runtime.open_options import OpenOptions


def model_input_size(path: AnyPath, options: OpenOptions | None = None) -> tuple[int, int] | None:
    """Return the (width, height) that a `.edgebundle` or `.tflite` takes.

    None where that is not known. What is wrong with the file or with the options is said when it is
    opened; this only looks at it.
    """
    path = Path(path)
    try:
        return _bundle_size(path) if is_bundle(path) else _tflite_size(path, options)
    except EdgeinferError:
        return None


def _bundle_size(path: Path) -> tuple[int, int]:
    from edgeinfer.device.models.bundle.reader import read_manifest

    return read_manifest(path).preprocess.size


def _tflite_size(path: Path, options: OpenOptions | None) -> tuple[int, int] | None:
    from edgeinfer.device.models.plain_content import plain_content
    from edgeinfer.device.preprocess.layout import LayoutError, read_form

    read = plain_content(read_model_file(path), options or OpenOptions(), subject=str(path))
    inputs = read.graph.inputs
    if len(inputs) != 1:
        return None
    try:
        return read_form(inputs[0].shape).size
    except LayoutError:
        return None
