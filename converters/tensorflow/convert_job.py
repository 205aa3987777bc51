"""A Keras model to TFLite, float32 and smaller, by TensorFlow's converter: the job.

The converter can end its process (a segmentation fault or an abort in native code), so the job is
for a separate process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.tensorflow.named_outputs import with_named_outputs
from edgeinfer.converters.tensorflow.worker.job import load_tensorflow
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.processes import ProcessEnd
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table

FLOAT_FILE = "float32.tflite"
SMALL_FILE = "small.tflite"
SAVED_FOLDER = "saved_model"

CALIBRATED: tuple[Precision, ...] = ("int8", "uint8", "int16x8")
"""Precisions with integer activations, whose ranges come from pictures."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """The result: the files exist."""


@dataclass(frozen=True, kw_only=True)
class ConvertJob:
    """What to convert, and to what.

    Attributes:
        model: a `.keras` file whose input is (H, W, C) float32; or a SavedModel's folder for one
            picture, as `ImportJob` leaves it.
        subject: its name in errors.
        preprocess: how the calibration pictures become inputs.
        calibration_images: raw uint8 pictures of `preprocess.shape`, one after another.
        output_folder: receives FLOAT_FILE and SMALL_FILE.
        precision: of SMALL_FILE.
        per_tensor_dense: one scale for all weights of a dense layer.
        outputs: the names of several outputs of a SavedModel in the order that they are to have; ()
            for one, and for a `.keras` file, whose outputs have the names of their layers.
    """

    answer: ClassVar[type[Done]] = Done
    model: str
    subject: str
    preprocess: PreprocessSpec
    calibration_images: str
    output_folder: str
    precision: Precision = "int8"
    per_tensor_dense: bool = False
    outputs: tuple[str, ...] = ()

    def run(self, progress: Progress) -> Done:
        """Export the model with batch 1 and convert it twice: to float32 and to the precision."""
        load_tensorflow(progress)
        import tensorflow as tf

        progress.start("convert to float32")
        folder = Path(self.output_folder)
        saved_model, outputs = self._saved_model(folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
        (folder / FLOAT_FILE).write_bytes(with_named_outputs(converter.convert(), outputs))
        if self.precision == "float32":
            (folder / SMALL_FILE).write_bytes((folder / FLOAT_FILE).read_bytes())
            return Done()
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
        progress.start(f"convert to {self.precision}")
        _quantize(converter, self, progress)
        (folder / SMALL_FILE).write_bytes(with_named_outputs(converter.convert(), outputs))
        return Done()

    def _saved_model(self, folder: Path) -> tuple[str, tuple[str, ...]]:
        """Return a SavedModel's folder, and the names of its outputs if it has several."""
        import keras

        if Path(self.model).is_dir():
            return self.model, self.outputs
        # Otherwise the numbers in names, which go into the file, go on from the model before.
        keras.backend.clear_session()
        model = keras.saving.load_model(self.model, compile=False)
        # With a fixed batch of 1 there are no SHAPE, STRIDED_SLICE or PACK operators.
        shape = (1, *self.preprocess.shape)
        signature = keras.InputSpec(shape=shape, dtype="float32", name="image")
        saved = str(folder / SAVED_FOLDER)
        if not isinstance(model.output, list):
            model.export(saved, format="tf_saved_model", input_signature=[signature], verbose=False)
            return saved, ()
        return saved, _export_named(model, saved, signature)

    def failed(self, reason: str, error: Exception) -> ConversionError:
        """Return the error for an exception of the converter."""
        return ConversionError(
            self.subject, got=f"cannot be converted ({reason})", next_step="change that layer"
        )

    def lost(self, end: ProcessEnd) -> ConversionError:
        """Return the error for a converter that ended its process."""
        return converter_lost(self.subject, end)


def _export_named(model: Any, saved: str, signature: Any) -> tuple[str, ...]:
    """Write a SavedModel whose outputs have the names of their layers; return the names."""
    import keras

    names = tuple(model.output_names)
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        name="serve",
        fn=lambda image: dict(zip(names, model(image, training=False), strict=True)),
        input_signature=[signature],
    )
    archive.write_out(saved, verbose=False)
    return names


def converter_lost(subject: str, end: ProcessEnd) -> ConversionError:
    """Return the error for a model on which TensorFlow's converter ended its process."""
    return ConversionError(
        subject,
        got=f"TensorFlow's converter {end.text}",
        expected="a model made of layers that it can convert",
        next_step="replace recurrent or custom layers (an LSTM with unroll=True converts)",
    )


def _quantize(converter: Any, job: ConvertJob, progress: Progress) -> None:
    """Set a TFLiteConverter to the job's precision."""
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job.precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
        return
    # A dense layer with a scale for each channel and float activations has an operator version that
    # tflite-runtime 2.14 does not know.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = (
        job.per_tensor_dense or job.precision == "dynamic"
    )
    if job.precision == "dynamic":
        return
    converter.representative_dataset = lambda: calibration_inputs(job, progress)
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


def calibration_inputs(job: ConvertJob, progress: Progress | None = None) -> Iterator[list[Any]]:
    """Yield each calibration image as the model's float input, (1, H, W, C) float32.

    Args:
        job: where the images are.
        progress: reports each image that was taken, and that the integers are computed after them.
    """
    progress = progress or Silent()
    table = normalize_table(job.preprocess)
    images = np.memmap(job.calibration_images, np.uint8, "r").reshape(-1, *job.preprocess.shape)
    channels = np.arange(job.preprocess.depth)
    progress.start("calibrate the ranges", len(images))
    for image in images:
        yield [table[channels, image][None]]
        progress.advance()
    progress.start(f"compute the integers of {job.precision}")
