"""Other people's model files to float `.tflite` bytes; quantized models are refused."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.tensorflow.convert_job import FLOAT_FILE, SAVED_FOLDER
from edgeinfer.converters.tensorflow.import_job import ImportJob
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import ModelKind, read_model_file, recognize
from edgeinfer.device.tflite.reader import read_tflite

KERAS_KINDS: tuple[ModelKind, ...] = ("keras", "hdf5")
_EXPECTED = (
    "a folder that `edgeinfer train` made, a .keras, .h5 or float .tflite file, or a SavedModel"
)
# A folder that is none of the others may be a damaged run: reading it says what is missing.
_TAKEN: tuple[ModelKind, ...] = (*KERAS_KINDS, "saved-model", "tflite", "run", "folder")
_INSTEAD: dict[ModelKind, str] = {
    "bundle": "name what the bundle was made of",
    "onnx": "make a float .tflite of it first",
    "pt2": "make a float .tflite of it first",
}
# Keras itself uses only the names.
_SUFFIXES: dict[ModelKind, tuple[str, ...]] = {"keras": (".keras",), "hdf5": (".h5", ".hdf5")}


def source_kind(path: Path) -> ModelKind:
    """Return the kind of a model to convert.

    Raises:
        ModelError: it cannot be read, is not a model, or has a name that Keras would not load.
    """
    found = recognize(path, expected=_EXPECTED)
    kind = found.kind
    if kind not in _TAKEN:
        raise ModelError(
            path,
            got=f"is {found.words}",
            expected=_EXPECTED,
            next_step=_INSTEAD.get(kind) or found.next_step(path),
        )
    suffixes = _SUFFIXES.get(kind)
    if suffixes is not None and path.suffix.lower() not in suffixes:
        raise ModelError(
            path,
            got=f"is {found.words}",
            expected=f"the name to end in {' or '.join(suffixes)}",
            next_step="rename it",
        )
    return kind


def is_foreign(kind: ModelKind) -> bool:
    """Return whether it is someone else's model, not a folder of `edgeinfer train`."""
    return kind in (*KERAS_KINDS, "saved-model", "tflite")


def is_quantized(content: bytes, *, subject: str) -> bool:
    """Return whether a `.tflite` has integers in place of real numbers: nothing to quantize.

    Raises:
        ModelError: it is damaged.
    """
    graph = read_tflite(content, subject=subject)
    return graph.fully_integer or any(t.quantization for t in graph.subgraphs[0].tensors)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Someone else's model in a form that edgeinfer can use.

    Attributes:
        float32: `.tflite` bytes with batch 1.
        saved_model: TensorFlow's form for one picture; None where the file was a `.tflite`.
    """

    float32: bytes
    saved_model: Path | None


def import_model(path: Path, folder: Path, *, tensorflow: Worker) -> Imported:
    """Read a model.

    Args:
        path: a `.keras`, `.h5` or float `.tflite` file, or a SavedModel's folder.
        folder: receives the SavedModel.
        tensorflow: the worker that reads it, if TensorFlow is needed.

    Raises:
        ConversionError: it cannot be converted, or the converter was killed.
        MissingExtraError: TensorFlow is not installed.
        ModelError: it is missing, damaged, or already quantized.
    """
    if source_kind(path) == "tflite":
        content = read_model_file(path)
        if is_quantized(content, subject=str(path)):
            raise ModelError(
                path,
                got="is quantized already",
                expected="a float32 model",
                next_step=f"`edgeinfer adopt {path}` makes a bundle of it as it is",
            )
        return Imported(float32=content, saved_model=None)
    require_packages("edgeinfer convert", "tensorflow", "keras")
    job = ImportJob(model=str(path.resolve()), subject=str(path), output_folder=str(folder))
    tensorflow.run(job, Silent())
    return Imported(float32=(folder / FLOAT_FILE).read_bytes(), saved_model=folder / SAVED_FOLDER)


def float_tflite(path: Path, *, tensorflow: Worker) -> bytes:
    """Return a model as float32 `.tflite` bytes with batch 1; raises what `import_model` does."""
    with tempfile.TemporaryDirectory(prefix="edgeinfer-convert-") as folder:
        return import_model(path, Path(folder), tensorflow=tensorflow).float32
