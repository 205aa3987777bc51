"""Other people's model files to float `.tflite` bytes; what is quantized already is refused."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.tensorflow.convert_job import FLOAT_FILE, SAVED_FOLDER
from edgeinfer.converters.tensorflow.import_job import ImportJob
from edgeinfer.converters.tensorflow.worker.job import Silent, Worker
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import read_model_file
from edgeinfer.device.tflite.reader import read_tflite

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
SUFFIXES = (*KERAS_SUFFIXES, ".tflite")


def is_foreign(path: Path) -> bool:
    """Return whether a path looks like another's model, not like a folder of `edgeinfer train`."""
    return path.suffix.lower() in SUFFIXES or (path / "saved_model.pb").exists()


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Someone else's model as edgeinfer can work with it.

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
        tensorflow: who reads it, where TensorFlow has to.

    Raises:
        ConversionError: it cannot be converted, or the converter was killed.
        MissingExtraError: TensorFlow is not installed.
        ModelError: it is absent, damaged, or quantized already.
    """
    if not path.exists():
        raise ModelError(path, got="does not exist", next_step="check the path")
    if path.suffix.lower() == ".tflite":
        content = read_model_file(path)
        graph = read_tflite(content, subject=str(path))
        if graph.fully_integer or any(t.quantization for t in graph.subgraphs[0].tensors):
            raise ModelError(
                path,
                got="is quantized already",
                expected="a float32 model",
                next_step="`edgeinfer run --model` takes it as it is",
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
