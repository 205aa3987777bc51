"""Where a model comes from: what a source of models says, and the pipeline does not know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.measure.accuracy_gate import Gate
from edgeinfer.converters.qat.retrain import Retrain
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.quantize.quantize import Backend
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model that can be quantized and measured.

    Attributes:
        name: the bundle's.
        subject: what errors call it.
        task: what it predicts.
        said: what is said of its outputs.
        preprocess: how a picture becomes the input.
        calibration: pictures that set the ranges of activations.
        measured: the pictures to measure on, by the name of their figures. On the first, the gate
            and repairs decide; the others are looked at once, when all is decided.
        golden: the pictures of which the bundle's golden frames are chosen.
        gate: what a smaller model may lose, and against what it is measured.
        backend: what quantizes.
        quantize: makes the float32 model and the smaller one.
        ranges: how the plain quantization chooses ranges; None where TensorFlow does, in its way.
        retrain: trains it with its rounding errors; None where that cannot be done.
        metrics: figures that are known already.
        provenance: what made it.
    """

    name: str
    subject: str
    task: MeasuredTask
    said: Said
    preprocess: PreprocessSpec
    calibration: Sequence[Sample]
    measured: Mapping[str, Sequence[Sample]]
    golden: Sequence[Sample]
    gate: Gate
    backend: Backend
    quantize: Callable[[Progress], TfliteModels]
    ranges: CalibrationMethod | None
    retrain: Retrain | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A kind of model that can be converted: one file, which this folder has one of for each."""

    def open(
        self, options: ConvertOptions, folder: Path, *, tensorflow: Worker, progress: Progress
    ) -> Opened:
        """Read the model and find its pictures.

        Args:
            options: what the user chose.
            folder: for files that are needed until the conversion is done.
            tensorflow: does what needs TensorFlow.
            progress: told what is going on.

        Raises:
            ConversionError: it cannot be converted.
            DataError: there are no pictures that can be used.
            ModelError: it is absent or damaged.
            UsageError: an option is none for this source.
        """
