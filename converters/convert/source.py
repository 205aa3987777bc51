"""Where a model comes from: what a source of models tells the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.measure.accuracy_gate import Gate
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.quantize.qat.retrain import Retrain
from edgeinfer.converters.quantize.quantize import Backend
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model that can be quantized and measured.

    Attributes:
        name: the bundle's name.
        subject: its name in errors.
        task: what it predicts.
        said: the description of its outputs.
        preprocess: how a picture becomes the input.
        calibration: pictures that set the ranges of activations.
        measured: the pictures to measure on, by the name of their figures. The gate
            and repairs use the first; the others are used one time, at the end.
        further: pictures that decide about gate and repairs together with the first ones, where
            those are few.
        golden: the pictures from which the bundle's golden frames are chosen.
        gate: how much a smaller model may lose, and compared with what.
        backend: the quantizer.
        quantize: makes the float32 model and the smaller one.
        ranges: how the plain quantization chooses ranges; None where TensorFlow chooses them.
        retrain: trains it with its rounding errors; None where that is not possible.
        settles: whether the small model's answers to the first pictures decide what the task
            leaves open, such as a threshold: not for a model that says so itself.
        unknown_share: of the right answers to the first pictures, the largest share that may become
            `unknown`;
            None for a model that always names a class.
        metrics: figures that are already known.
        provenance: how it was made.
    """

    name: str
    subject: str
    task: ComparedTask
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
    further: Sequence[Sample] = ()
    settles: bool = False
    unknown_share: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A kind of model that can be converted; this folder has one file for each kind."""

    def open(
        self, options: ConvertOptions, folder: Path, *, tensorflow: Worker, progress: Progress
    ) -> Opened:
        """Read the model and find its pictures.

        Args:
            options: what the user chose.
            folder: a place for files that are needed until the conversion is done.
            tensorflow: runs what needs TensorFlow.
            progress: reports what is going on.

        Raises:
            ConversionError: it cannot be converted.
            DataError: there are no usable pictures.
            ModelError: it is missing or damaged.
            UsageError: an option does not work with this source.
        """
