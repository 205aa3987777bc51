"""Runs TensorFlow's converter: `python -m edgeinfer.converters.tensorflow.to_tflite_worker JOB`.

The converter can kill its process (a segfault or an abort in native code), so it never runs in the
caller's. JOB is a JSON file that `ConversionJob` describes; what comes out are files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.strict import from_json, parse_json
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table

FLOAT_FILE = "float32.tflite"
SMALL_FILE = "small.tflite"
ERROR_FILE = "error.txt"

CALIBRATED: tuple[Precision, ...] = ("int8", "uint8", "int16x8")
"""Precisions with integer activations, whose ranges come from pictures."""


@dataclass(frozen=True, kw_only=True)
class ConversionJob:
    """What the worker is to do.

    Attributes:
        keras_model: the `.keras` file; its input is (H, W, C) float32.
        preprocess: how the calibration images become inputs.
        calibration_images: raw uint8 images of `preprocess.shape`, one after another.
        output_folder: receives FLOAT_FILE and SMALL_FILE, or ERROR_FILE.
        precision: of SMALL_FILE.
        per_tensor_dense: one scale for all weights of a dense layer.
    """

    keras_model: str
    preprocess: PreprocessSpec
    calibration_images: str
    output_folder: str
    precision: Precision = "int8"
    per_tensor_dense: bool = False


def run_job(job: ConversionJob) -> None:
    """Export the model with batch 1 and convert it twice: as float32 and as asked for."""
    import keras
    import tensorflow as tf

    folder = Path(job.output_folder)
    model = keras.saving.load_model(job.keras_model, compile=False)
    # A fixed batch of 1 leaves no SHAPE, STRIDED_SLICE or PACK ops behind.
    signature = keras.InputSpec(shape=(1, *job.preprocess.shape), dtype="float32", name="image")
    saved_model = folder / "saved_model"
    model.export(saved_model, format="tf_saved_model", input_signature=[signature], verbose=False)

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    (folder / FLOAT_FILE).write_bytes(converter.convert())

    if job.precision == "float32":
        (folder / SMALL_FILE).write_bytes((folder / FLOAT_FILE).read_bytes())
        return
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    _quantize(converter, job)
    (folder / SMALL_FILE).write_bytes(converter.convert())


def _quantize(converter: Any, job: ConversionJob) -> None:
    """Set a TFLiteConverter to the job's precision."""
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return
    # A dense layer with a scale for each channel and float activations has an op version that
    # tflite-runtime 2.14 does not know.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = (
        job.per_tensor_dense or job.precision == "dynamic"
    )
    if job.precision == "dynamic":
        return
    converter.representative_dataset = lambda: calibration_inputs(job)
    ops, ends = {
        "int8": (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.int8),
        "uint8": (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.uint8),
        "int16x8": (
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
            tf.int16,
        ),
    }[job.precision]
    converter.target_spec.supported_ops = [ops]
    converter.inference_input_type = ends
    converter.inference_output_type = ends


def calibration_inputs(job: ConversionJob) -> Iterator[list[Any]]:
    """Yield each calibration image as the model's float input, (1, H, W, C) float32."""
    table = normalize_table(job.preprocess)
    images = np.memmap(job.calibration_images, np.uint8, "r").reshape(-1, *job.preprocess.shape)
    channels = np.arange(job.preprocess.depth)
    for image in images:
        yield [table[channels, image][None]]


def main() -> int:
    """Run the job that the command line names; an error's text goes into ERROR_FILE."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    job = from_json(ConversionJob, parse_json(Path(sys.argv[1]).read_bytes()))
    try:
        run_job(job)
    except Exception as error:  # whatever TensorFlow raises, the parent turns it into a sentence
        text = f"{type(error).__name__}: {str(error).strip()}"
        (Path(job.output_folder) / ERROR_FILE).write_text(text, encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
