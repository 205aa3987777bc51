"""A trained model to its smaller form, by one of two backends.

`tensorflow` knows every precision and calibrates by min-max; `ai-edge-quantizer` makes full INT8 of
TensorFlow's float model with ranges that are chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.calibration import (
    CalibrationMethod,
    choose_ranges,
    sample_histograms,
)
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels, convert_keras
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.preprocess import PreprocessSpec

Backend = Literal["tensorflow", "ai-edge-quantizer"]
"""What quantizes a model, see `QuantizeOptions.backend`."""


@dataclass(frozen=True, kw_only=True)
class QuantizeOptions:
    """How to quantize a model, for `ConvertOptions(quantize=...)`.

    Examples:
        >>> floats = edgeinfer.QuantizeOptions(precision="float16")
        >>> options = edgeinfer.ConvertOptions(quantize=floats)
        >>> edgeinfer.convert("runs/photos", "photos.edgebundle", options)

    Attributes:
        precision: the number format of the converted model: "int8", "uint8", "int16x8", "dynamic",
            "float16" or "float32".
        per_tensor_dense: whether all weights of a dense layer share one scale, which some compilers
            for accelerators need.
        calibration: how the value range of a layer is chosen from the calibration pictures:
            "min-max" takes all values, "percentile" leaves out the outermost 0.01 %, "mse" takes
            the range with the smallest error.
        backend: what quantizes the model: "tensorflow" or "ai-edge-quantizer". None takes
            "tensorflow" for "min-max", otherwise "ai-edge-quantizer".

    Raises:
        UsageError: the backend cannot do what the other options ask for.
    """

    precision: Precision = "int8"
    per_tensor_dense: bool = False
    calibration: CalibrationMethod = "min-max"
    backend: Backend | None = None

    def __post_init__(self) -> None:
        """Refuse what a backend cannot do.

        Raises:
            UsageError: names the option.
        """
        for name, got, allowed in (
            ("--precision", self.precision, get_args(Precision)),
            ("--calibration", self.calibration, get_args(CalibrationMethod)),
            ("--backend", self.backend, (None, *get_args(Backend))),
        ):
            if got not in allowed:
                raise UsageError(name, got=repr(got), expected=f"one of {allowed}")
        if self.chosen_backend == "tensorflow":
            if self.calibration != "min-max":
                raise UsageError(
                    "--calibration",
                    got=f"{self.calibration} with the backend tensorflow",
                    expected="min-max there",
                    next_step="use --backend ai-edge-quantizer",
                )
        elif self.precision != "int8":
            raise UsageError(
                "--backend",
                got=f"ai-edge-quantizer for {self.precision}",
                expected="int8 there",
                next_step="use --backend tensorflow with --calibration min-max",
            )

    @property
    def chosen_backend(self) -> Backend:
        """The backend that is used: `backend`, or the one that suits `calibration`."""
        if self.backend is not None:
            return self.backend
        return "tensorflow" if self.calibration == "min-max" else "ai-edge-quantizer"


def quantize_trained(
    keras_model: Path,
    preprocess: PreprocessSpec,
    calibration: Sequence[Sample],
    options: QuantizeOptions,
    progress: Progress,
    *,
    tensorflow: Worker,
) -> TfliteModels:
    """Convert a Keras model to float32 and to the form that `options` ask for.

    Args:
        keras_model: a `.keras` file with a (H, W, C) float32 input.
        preprocess: how samples become inputs.
        calibration: representative samples.
        options: what to make.
        progress: reports what is going on.
        tensorflow: the worker that converts.

    Raises:
        ConversionError: the converter or the quantizer failed.
        MissingExtraError: the backend is not installed.
    """
    if options.chosen_backend == "tensorflow":
        return convert_keras(
            keras_model,
            preprocess,
            calibration,
            precision=options.precision,
            per_tensor_dense=options.per_tensor_dense,
            tensorflow=tensorflow,
            progress=progress,
        )
    models = convert_keras(
        *(keras_model, preprocess, calibration),
        precision="float32",
        tensorflow=tensorflow,
        progress=progress,
    )
    progress.start("measure the activations", 2 * len(calibration))
    histograms = sample_histograms(models.float32, preprocess, calibration, progress)
    ranges = choose_ranges(histograms, options.calibration)
    small = quantize_int8(
        models.float32,
        ranges,
        subject=keras_model.parent.name,
        per_tensor_dense=options.per_tensor_dense,
    )
    return replace(models, small=small, precision="int8")
