"""Other people's model files to float `.tflite` bytes; what is quantized already is refused."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.tensorflow.to_tflite_worker import ERROR_FILE, FLOAT_FILE
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.core.model_file import read_model_file
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.tflite.reader import read_tflite

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
SUFFIXES = (*KERAS_SUFFIXES, ".tflite")


def is_foreign(path: Path) -> bool:
    """Return whether a path looks like another's model, not like a folder of `edgeinfer train`."""
    return path.suffix.lower() in SUFFIXES or (path / "saved_model.pb").exists()


def float_tflite(path: Path) -> bytes:
    """Return a model as float32 `.tflite` bytes with batch 1.

    Raises:
        ConversionError: it cannot be converted, or the converter was killed.
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
        return content
    require_packages("edgeinfer convert", "tensorflow", "keras")
    with tempfile.TemporaryDirectory(prefix="edgeinfer-convert-") as temporary:
        folder = Path(temporary)
        command = python_command("-m", "edgeinfer.converters.tensorflow.import_worker")
        done = subprocess.run(
            [*command, str(path.resolve()), temporary],
            env=safe_environment(),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode < 0:
            raise ConversionError(
                path,
                got=f"TensorFlow's converter was killed by {signal_name(-done.returncode)}",
                expected="a model made of layers that it can convert",
                next_step="replace recurrent or custom layers (an LSTM with unroll=True converts)",
            )
        error = folder / ERROR_FILE
        if done.returncode or not (folder / FLOAT_FILE).exists():
            reason = error.read_text(encoding="utf-8") if error.exists() else "cannot be converted"
            raise ConversionError(path, got=reason, next_step="change it, or save it again")
        return (folder / FLOAT_FILE).read_bytes()
