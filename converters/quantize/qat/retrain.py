"""Quantization-aware training as a stage of the repair: a Keras file in, float `.tflite` out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.quantize.qat.qat import QatOptions, quantization_aware_training
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.converters.tensorflow.import_model import float_tflite
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import storage_error
from edgeinfer.device.preprocess import PreprocessSpec

Retrain = Callable[[CalibrationMethod, Progress], bytes]


def retrainer(
    keras_model: Path,
    preprocess: PreprocessSpec,
    samples: Sequence[Sample],
    *,
    per_tensor_dense: bool,
    distribution: bool,
    tensorflow: Worker,
) -> Retrain:
    """Return a function that trains a Keras model with its rounding errors.

    Args:
        keras_model: the `.keras` or `.h5` file.
        preprocess: how samples become inputs.
        samples: the pictures to train with; their labels are not used.
        per_tensor_dense: all weights of a dense layer have one scale.
        distribution: whether the numbers of its output are one distribution, as logits are.
        tensorflow: the worker that trains.
    """

    def retrain(method: CalibrationMethod, progress: Progress) -> bytes:
        options = QatOptions(
            calibration=method, per_tensor_dense=per_tensor_dense, distribution=distribution
        )
        try:
            with tempfile.TemporaryDirectory(prefix="edgeinfer-qat-") as folder:
                out = Path(folder, KERAS_FILE)
                quantization_aware_training(
                    *(keras_model, preprocess, samples, options, progress),
                    out=out,
                    tensorflow=tensorflow,
                )
                return float_tflite(out, tensorflow=tensorflow)
        except OSError as error:
            raise storage_error(keras_model, error) from error

    return retrain
