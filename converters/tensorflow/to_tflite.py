"""A Keras model to TFLite, float32 and smaller, by TensorFlow's converter in a subprocess.

Method, where activations are integers: post-training quantization of weights (per channel) and
activations (per tensor) by calibration on representative inputs, Jacob et al. 2018,
arXiv:1712.05877, as TFLiteConverter implements it; integer input and output.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tensorflow.to_tflite_worker import (
    CALIBRATED,
    ERROR_FILE,
    FLOAT_FILE,
    SMALL_FILE,
    ConversionJob,
    run_job,
)
from edgeinfer.device.core.errors import ConversionError, ModelError, storage_error
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.strict import to_json
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec


@dataclass(frozen=True, kw_only=True)
class TfliteModels:
    """The same model twice, as `.tflite` bytes.

    Attributes:
        float32: as it was trained.
        small: in `precision`.
        precision: what was asked for.
    """

    float32: bytes
    small: bytes
    precision: Precision


def convert_keras(
    keras_model: Path,
    preprocess: PreprocessSpec,
    calibration: Sequence[Sample],
    *,
    precision: Precision = "int8",
    per_tensor_dense: bool = False,
    in_process: bool = False,
) -> TfliteModels:
    """Convert a Keras model.

    Args:
        keras_model: a `.keras` file with a (H, W, C) float32 input.
        preprocess: how samples become inputs; the device's own code does it.
        calibration: representative samples.
        precision: of the smaller model.
        per_tensor_dense: give all weights of a dense layer one scale, as some compilers want it.
        in_process: convert in the caller's process, which has TensorFlow loaded and may be killed
            by it, instead of in a subprocess.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        ModelError: the `.keras` file is absent.
        ConversionError: the converter failed or killed its process.
        StorageError: no room for temporary files.
    """
    require_packages("convert", "tensorflow", "keras")
    if not keras_model.is_file():
        raise ModelError(
            keras_model, got="is absent", expected="a .keras file", next_step="train again"
        )
    if not calibration:
        raise ConversionError(keras_model, got="no calibration images", expected="at least one")
    with tempfile.TemporaryDirectory(prefix="edgeinfer-convert-") as temporary:
        folder = Path(temporary)
        try:
            job = ConversionJob(
                keras_model=str(keras_model.resolve()),
                preprocess=preprocess,
                calibration_images=str(folder / "calibration.raw"),
                output_folder=str(folder),
                precision=precision,
                per_tensor_dense=per_tensor_dense,
            )
            job_file = _write_job(job, calibration if precision in CALIBRATED else ())
        except OSError as error:
            raise storage_error(folder, error) from error
        if in_process:
            _run_here(keras_model, job)
        else:
            _run_worker(keras_model, job_file, folder)
        return TfliteModels(
            float32=(folder / FLOAT_FILE).read_bytes(),
            small=(folder / SMALL_FILE).read_bytes(),
            precision=precision,
        )


def _write_job(job: ConversionJob, calibration: Sequence[Sample]) -> Path:
    """Write the calibration images and the job itself; return the job's file."""
    job_file = Path(job.output_folder, "job.json")
    preprocessor = Preprocessor(job.preprocess)
    with open(job.calibration_images, "wb") as stream:
        for sample in calibration:
            pixels = read_sample(sample.source, job.preprocess)
            stream.write(preprocessor.image(pixels).tobytes())
    job_file.write_text(json.dumps(to_json(job)), encoding="utf-8")
    return job_file


def _run_here(keras_model: Path, job: ConversionJob) -> None:
    try:
        run_job(job)
    except Exception as error:  # whatever TensorFlow raises
        reason = (f"{type(error).__name__}: {error}".strip().splitlines())[0]
        raise _inconvertible(keras_model, reason) from error


def _run_worker(keras_model: Path, job: Path, folder: Path) -> None:
    finished = subprocess.run(
        python_command("-m", "edgeinfer.converters.tensorflow.to_tflite_worker", str(job)),
        env=safe_environment(),
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if finished.returncode < 0:
        raise ConversionError(
            keras_model,
            got=f"TensorFlow's converter was killed by {signal_name(-finished.returncode)}",
            expected="a model made of layers that it can convert",
            next_step="replace recurrent or custom layers (an LSTM with unroll=True converts)",
        )
    if finished.returncode != 0:
        error_file = folder / ERROR_FILE
        text = error_file.read_text(encoding="utf-8") if error_file.exists() else ""
        text = text or finished.stderr.decode(errors="replace").strip()
        raise _inconvertible(keras_model, (text.splitlines() or ["no reason given"])[0])


def _inconvertible(keras_model: Path, reason: str) -> ConversionError:
    return ConversionError(
        keras_model, got=f"cannot be converted ({reason[:300]})", next_step="change that layer"
    )
