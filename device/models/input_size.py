"""How large a picture a model needs, before the model is opened: a camera is set up meanwhile."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.model_file import is_bundle, read_model_file
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.pictures.region import covering
from edgeinfer.device.runtime.open_options import OpenOptions


def model_input_size(path: AnyPath, options: OpenOptions | None = None) -> tuple[int, int] | None:
    """Return the (width, height) of pictures that cover the input of a `.edgebundle` or `.tflite`.

    With a region they are larger, so that the region covers it; with tiles so that each tile does.

    None where that is not known. What is wrong with the file or with the options is said when it is
    opened; this only looks at it.
    """
    path, options = Path(path), options or OpenOptions()
    try:
        if is_bundle(path):
            return _bundle_size(path, options)
        size = _tflite_size(path, options)
        return None if size is None else covering(size, options.region, options.tiles)
    except EdgeinferError:
        return None


def _bundle_size(path: Path, options: OpenOptions) -> tuple[int, int]:
    from edgeinfer.device.models.bundle.reader import read_manifest

    spec = read_manifest(path).preprocess
    region = spec.region if options.region is None else options.region
    return covering(spec.size, region, options.tiles)


def _tflite_size(path: Path, options: OpenOptions) -> tuple[int, int] | None:
    from edgeinfer.device.models.plain_content import plain_content
    from edgeinfer.device.preprocess.layout import LayoutError, read_form

    read = plain_content(read_model_file(path), options, subject=str(path))
    inputs = read.graph.inputs
    if len(inputs) != 1:
        return None
    try:
        return read_form(inputs[0].shape).size
    except LayoutError:
        return None
