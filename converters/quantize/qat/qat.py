"""Quantization-aware training: the caller's side; `train_job.py` trains in TensorFlow's process.

A model that loses much by post-training quantization is fine-tuned for a few epochs while it
computes with rounded weights and activations. The result is an ordinary float model of the same
architecture, whose weights lose less when they are quantized.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.quantize.qat.job import TUNED_FILE, QatAnswer, QatJob
from edgeinfer.converters.quantize.qat.train_job import TrainJob
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ConversionError, ModelError, UsageError, storage_error
from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec


@dataclass(frozen=True, kw_only=True)
class QatOptions:
    """How a model is fine-tuned.

    Attributes:
        epochs: rounds over the samples.
        learning_rate: of Adam at the start; a cosine takes it to 0.
        batch_size: pictures a step.
        seed: picks the samples and their order.
        max_images: at most this many samples are used.
        calibration_images: how many of them give the activations' ranges.
        calibration: how these are chosen; use the method that will quantize the model.
        per_tensor_dense: one scale for all weights of a dense layer, as it will be quantized.
        distribution: whether the numbers of the output are one distribution, as logits are; else
            the squared error is the loss.
    """

    epochs: int = 3
    learning_rate: float = 1e-4
    batch_size: int = 32
    seed: int = 0
    max_images: int = 2000
    calibration_images: int = 300
    calibration: CalibrationMethod = "min-max"
    per_tensor_dense: bool = False
    distribution: bool = True

    def __post_init__(self) -> None:
        """Refuse impossible values.

        Raises:
            UsageError: names the option.
        """
        for name in ("epochs", "batch_size", "max_images", "calibration_images"):
            if getattr(self, name) < 1:
                raise UsageError(name, got=str(getattr(self, name)), expected="1 or more")
        if not 0 < self.learning_rate < math.inf:
            raise UsageError(
                "learning_rate", got=str(self.learning_rate), expected="more than 0, finite"
            )
        if self.calibration not in get_args(CalibrationMethod):
            raise UsageError(
                "calibration",
                got=repr(self.calibration),
                expected=f"one of {get_args(CalibrationMethod)}",
            )


@dataclass(frozen=True, kw_only=True)
class QatResult:
    """The result.

    Attributes:
        keras_model: the fine-tuned model, of the original's architecture.
        losses: the distance of the rounded model from the float one: before training, then the mean
            of each epoch. Nats of Kullback-Leibler divergence for a classifier; else the squared
            error as a share of the answers' variance, of several outputs the mean.
        uncovered: names of layers whose inner results were not rounded in training.
        images: how many samples were used.
    """

    keras_model: Path
    losses: tuple[float, ...]
    uncovered: tuple[str, ...]
    images: int


def quantization_aware_training(
    keras_model: AnyPath,
    preprocess: PreprocessSpec,
    samples: Sequence[Sample],
    options: QatOptions,
    progress: Progress,
    *,
    out: AnyPath,
    tensorflow: Worker,
) -> QatResult:
    """Fine-tune a model so that it loses less as INT8; it learns its own float answers.

    The result's float answers may be far from the original's: compare its INT8 model with the
    original float model, never with its own.

    The pictures are prepared by the device's own code and wait in a temporary file, so memory does
    not grow with their number; it does with the batch (EfficientNet-Lite0 at 224x224: 2.9 GB for
    32).

    Args:
        keras_model: a `.keras` file of a functional or Sequential model with a (H, W, C) float32
            input.
        preprocess: how samples become inputs.
        samples: pictures to train with; labels are not used.
        options: how.
        progress: reports what is going on.
        out: the fine-tuned `.keras` file.
        tensorflow: the worker that trains.

    Raises:
        MissingExtraError: TensorFlow is not installed.
        ModelError: the `.keras` file is missing.
        ConversionError: there are no samples, the model has layers that cannot be trained so
            (recurrent ones, several inputs), or the loss became NaN.
        ImageError: a picture can no longer be read.
        StorageError: `out` cannot be written, or there is no room for temporary files.
    """
    require_packages("quantization-aware training", "tensorflow", "keras")
    keras_model, out = Path(keras_model), Path(out)
    if not keras_model.is_file():
        raise ModelError(
            keras_model, got="does not exist", expected="a .keras file", next_step="train again"
        )
    if not samples:
        raise ConversionError(keras_model, got="no pictures to train with", expected="at least one")
    order = np.random.default_rng(options.seed).permutation(len(samples))[: options.max_images]
    with tempfile.TemporaryDirectory(prefix="edgeinfer-qat-") as temporary:
        folder = Path(temporary)
        job = QatJob(
            keras_model=str(keras_model.resolve()),
            preprocess=preprocess,
            images=str(folder / "images.raw"),
            output_folder=str(folder),
            calibration_images=options.calibration_images,
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            batch_size=options.batch_size,
            seed=options.seed,
            calibration=options.calibration,
            per_tensor_dense=options.per_tensor_dense,
            distribution=options.distribution,
        )
        try:
            _write_images(job, [samples[index] for index in order], progress)
        except OSError as error:
            raise storage_error(folder, error) from error
        answer: QatAnswer = tensorflow.run(TrainJob(qat=job, subject=str(keras_model)), progress)
        with (folder / TUNED_FILE).open("rb") as tuned, atomic_file(out) as stream:
            shutil.copyfileobj(tuned, stream)
    return QatResult(
        keras_model=out, losses=answer.losses, uncovered=answer.uncovered, images=len(order)
    )


def _write_images(job: QatJob, samples: Sequence[Sample], progress: Progress) -> None:
    progress.start("prepare pictures to train with quantization", len(samples))
    preprocessor = Preprocessor(job.preprocess)
    with open(job.images, "wb") as stream:
        for sample in samples:
            pixels = read_sample(sample.source, job.preprocess)
            stream.write(preprocessor.image(pixels).tobytes())
            progress.advance()
