"""Other people's model files to float `.tflite` bytes; quantized models are refused."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.tensorflow.convert_job import FLOAT_FILE, SAVED_FOLDER
from edgeinfer.converters.tensorflow.import_job import (
    ImportAnswer,
    ImportJob,
    KerasFileJob,
    custom_layer,
)
from edgeinfer.converters.tensorflow.keras2 import tf_keras_folder
from edgeinfer.converters.tensorflow.keras_file import KerasFile
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ConversionError, ModelError, UsageError
from edgeinfer.device.core.model_file import IN_WORDS, ModelKind, read_model_file, recognize
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
        outputs: the names of several outputs, in the model's order; () where the file was a
            `.tflite`, which keeps its own.
        trainable: whether Keras 3 reads the file, and so can train the model further.
    """

    float32: bytes
    saved_model: Path | None
    outputs: tuple[str, ...] = ()
    trainable: bool = False


def import_model(
    path: Path,
    folder: Path,
    *,
    tensorflow: Worker,
    trust_lambda: Collection[str] = (),
    progress: Progress | None = None,
) -> Imported:
    """Read a model.

    Args:
        path: a `.keras`, `.h5` or float `.tflite` file, or a SavedModel's folder.
        folder: receives the SavedModel.
        tensorflow: the worker that reads it, if TensorFlow is needed.
        trust_lambda: the layers whose code in the file may run.
        progress: told when something must be fetched first.

    Raises:
        ConversionError: it cannot be converted, runs code that is not trusted, or the converter was
            killed.
        MissingExtraError: TensorFlow is not installed, or what reads Keras 2 cannot be fetched.
        ModelError: it is missing, damaged, or already quantized.
        UsageError: a layer is trusted that the model does not have.
    """
    kind = source_kind(path)
    progress = progress or Silent()
    if kind not in KERAS_KINDS and trust_lambda:
        raise UsageError(
            "--trust-lambda",
            got=f"given for {path.name}, which is {IN_WORDS[kind]}",
            expected="a .keras or .h5 file: no other kind holds Python code",
            next_step="leave it out",
        )
    if kind == "tflite":
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
    if kind in KERAS_KINDS:
        file: KerasFile = tensorflow.run(
            KerasFileJob(model=job.model, subject=job.subject), progress
        )
        _require_trust(path, file, trust_lambda)
        packages = None
        if file.generation == 2:
            packages = tf_keras_folder(path, written_by=_writer(file), progress=progress)
        job = replace(
            job,
            generation=file.generation,
            packages=str(packages or ""),
            run_code=bool(trust_lambda),
        )
    answer: ImportAnswer = tensorflow.run(job, Silent())
    return Imported(
        float32=(folder / FLOAT_FILE).read_bytes(),
        saved_model=folder / SAVED_FOLDER,
        outputs=answer.outputs,
        trainable=kind in KERAS_KINDS and job.generation == 3,
    )


def _writer(file: KerasFile) -> str:
    return f"Keras {file.version}" if file.version else "a Keras before 2"


def _require_trust(path: Path, file: KerasFile, trusted: Collection[str]) -> None:
    """Refuse code in the file that the user did not allow, and layers of unknown programs."""
    for name in trusted:
        if name not in file.code:
            raise UsageError(
                "--trust-lambda",
                got=f"'{name}' is not a layer of {path.name} that runs code",
                expected=" or ".join(file.code) or "none: it has no such layer",
            )
    refused = [name for name in file.code if name not in trusted]
    if refused:
        layers = "layer" if len(refused) == 1 else "layers"
        raise ConversionError(
            path,
            got=f"has Python code of its author in the {layers} {', '.join(refused)}, which runs "
            "with your rights when the model is loaded",
            expected="layers of Keras, such as Rescaling instead of a Lambda",
            next_step="if you trust who made it: "
            + " ".join(f"--trust-lambda {shlex.quote(name)}" for name in refused),
        )
    if file.strange:
        raise ConversionError(
            path, got=custom_layer(file.strange[0]), next_step="change it, or save it again"
        )


def float_tflite(path: Path, *, tensorflow: Worker) -> bytes:
    """Return a model as float32 `.tflite` bytes with batch 1; raises what `import_model` does."""
    with tempfile.TemporaryDirectory(prefix="edgeinfer-convert-") as folder:
        return import_model(path, Path(folder), tensorflow=tensorflow).float32
