"""A Keras model to TFLite, float32 and smaller, by TensorFlow's converter.

Method, where activations are integers: post-training quantization of weights (per channel) and
activations (per tensor) by calibration on representative inputs, Jacob et al. 2018,
arXiv:1712.05877, as TFLiteConverter implements it; integer input and output.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tensorflow.convert_job import (
    CALIBRATED,
    FLOAT_FILE,
    SMALL_FILE,
    ConvertJob,
)
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ConversionError, ModelError, storage_error
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec


@dataclass(frozen=True, kw_only=True)
class TfliteModels:
    """The same model twice, as `.tflite` bytes.

    Attributes:
        float32: the trained model.
        small: in `precision`.
        precision: the precision of `small`.
    """

    float32: bytes
    small: bytes
    precision: Precision


def convert_keras(
    keras_model: Path,
    preprocess: PreprocessSpec,
    calibration: Sequence[Sample],
    *,
    tensorflow: Worker,
    precision: Precision = "int8",
    per_tensor_dense: bool = False,
    outputs: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> TfliteModels:
    """Convert a Keras model.

    Args:
        keras_model: a `.keras` file with a (H, W, C) float32 input, or a SavedModel's folder for
            one picture.
        preprocess: how samples become inputs; the device package's code does it.
        calibration: representative samples.
        tensorflow: the worker that converts.
        precision: of the smaller model.
        per_tensor_dense: give all weights of a dense layer one scale, as some compilers want it.
        outputs: the names of several outputs of a SavedModel, in the order that they are to have.
        progress: reports each step; by default nothing does.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        ModelError: the model is missing.
        ConversionError: the converter failed or ended its process.
        StorageError: no room for temporary files.
    """
    require_packages("convert", "tensorflow", "keras")
    if not keras_model.exists():
        raise ModelError(
            keras_model, got="does not exist", expected="a .keras file", next_step="train again"
        )
    if not calibration:
        raise ConversionError(keras_model, got="no calibration images", expected="at least one")
    progress = progress or Silent()
    with tempfile.TemporaryDirectory(prefix="edgeinfer-convert-") as temporary:
        folder = Path(temporary)
        job = ConvertJob(
            model=str(keras_model.resolve()),
            subject=str(keras_model),
            preprocess=preprocess,
            calibration_images=str(folder / "calibration.raw"),
            output_folder=temporary,
            precision=precision,
            per_tensor_dense=per_tensor_dense,
            outputs=outputs,
        )
        try:
            _write_pictures(job, calibration if precision in CALIBRATED else (), progress)
        except OSError as error:
            raise storage_error(folder, error) from error
        tensorflow.run(job, progress)
        return TfliteModels(
            float32=(folder / FLOAT_FILE).read_bytes(),
            small=(folder / SMALL_FILE).read_bytes(),
            precision=precision,
        )


def _write_pictures(job: ConvertJob, calibration: Sequence[Sample], progress: Progress) -> None:
    if calibration:
        progress.start("prepare the calibration pictures", len(calibration))
    preprocessor = Preprocessor(job.preprocess)
    with open(job.calibration_images, "wb") as stream:
        for sample in calibration:
            pixels = read_sample(sample.source, job.preprocess)
            stream.write(preprocessor.image(pixels).tobytes())
            progress.advance()
