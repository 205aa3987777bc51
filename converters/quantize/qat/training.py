"""The training loop of quantization-aware training.

Method: quantization-aware training by fake quantization (see `fake_quant.py`), with the float model
itself as the teacher, so that no labels are needed: the Kullback-Leibler divergence from its
probabilities (Hinton et al. 2015, arXiv:1503.02531, at temperature 1), or the squared error as a
share of the answers' variance where they are not a distribution over two classes or more; of
several outputs the mean of their shares, so that each counts as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.qat.fake_quant import FakeQuantModel
from edgeinfer.converters.quantize.qat.graph import Graph
from edgeinfer.converters.quantize.qat.job import QatJob
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import normalize_table, tensor_table

ADAM_EPSILON = 1e-3
"""Adam makes steps of full length even for very small gradients, and so damages a model that hardly
needs training: EfficientNet-Lite0 went from 0.0005 nats to 0.024 in 8 steps of 1e-4. With this
epsilon it went to 0.0003, and a model that INT8 had damaged badly recovered as fast as without
it."""

_TARGETS_FILE = "targets.{output}.raw"

Floats = NDArray[np.float32]


class Images:
    """The job's images as the model's inputs, read when they are wanted."""

    def __init__(self, job: QatJob) -> None:
        shape = job.preprocess.shape
        self._raw = np.memmap(job.images, np.uint8, "r").reshape(-1, *shape)
        self._spec = job.preprocess
        self._table = normalize_table(job.preprocess)
        self._rounded = self._table
        self._channels = np.arange(job.preprocess.depth)
        self._batch = job.batch_size

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._raw)

    def quantize(self, tensor: TensorSpec) -> None:
        """Choose the INT8 input that `rounded` images have passed."""
        self._rounded = tensor.dequantize(tensor_table(self._spec, tensor)).astype(np.float32)

    def batch(self, chosen: Any, *, rounded: bool) -> NDArray[np.float32]:
        """Return (N, H, W, C) float32, as the model's float or its INT8 input holds it."""
        table = self._rounded if rounded else self._table
        values: NDArray[np.float32] = table[self._channels, self._raw[chosen]]
        return values

    def slices(self, order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield the parts of an order, one for each batch."""
        for start in range(0, len(order), self._batch):
            # The file is read from front to back within a batch.
            yield np.sort(order[start : start + self._batch])


class Training:
    """One training: the float model's answers first, then epoch after epoch."""

    def __init__(
        self, job: QatJob, model: Any, fake_quant: FakeQuantModel, graph: Graph, progress: Progress
    ) -> None:
        import keras

        self._job, self._model, self._fake_quant = job, model, fake_quant
        self._images = Images(job)
        self._calibrating = np.arange(min(len(self._images), job.calibration_images))
        self._progress = progress
        self._answers = [tuple(output.shape[1:]) for output in model.outputs]
        self._probabilities = graph.softmax
        first, *others = self._answers
        vector = not others and len(first) == 1 and first[0] >= 2
        self._distribution = graph.softmax or (job.distribution and vector)
        self._variances = [1.0] * len(self._answers)
        steps = math.ceil(len(self._images) / job.batch_size) * job.epochs
        warmup = steps // 10
        # Adam's first steps are as long as the learning rate allows, even if the model is good.
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, steps - warmup, warmup_target=job.learning_rate, warmup_steps=warmup
        )
        self._optimizer = keras.optimizers.Adam(schedule, epsilon=ADAM_EPSILON)
        self._optimizer.build(model.trainable_variables)

    def losses(self) -> list[float]:
        """Train; return the mean loss before it and of each epoch."""
        import tensorflow as tf

        job = self._job
        # The float model's answers and the loss before training are a round each.
        rounds = 2 + job.epochs
        self._progress.start("train with quantization", rounds * len(self._images))
        order = np.random.default_rng(job.seed)
        targets = self._targets()
        measure = tf.function(self._loss, autograph=False, reduce_retracing=True)
        step = tf.function(self._step, autograph=False, reduce_retracing=True)
        everything = np.arange(len(self._images))
        if not self._distribution:
            self._variances = [max(float(np.var(target)), 1e-12) for target in targets]
        self._calibrate("before training")
        losses = [self._epoch(everything, targets, measure, "before training")]
        for epoch in range(1, job.epochs + 1):
            if epoch > 1:
                # Weights have moved, and with them the ranges that the converter will find.
                self._calibrate(f"after epoch {epoch - 1}")
            shuffled = order.permutation(everything)
            losses.append(self._epoch(shuffled, targets, step, f"in epoch {epoch}"))
        return losses

    def _targets(self) -> list[Floats]:
        """Return the float model's outputs, in files: an answer may be as large as its picture."""
        import tensorflow as tf

        targets: list[Floats] = [
            np.memmap(
                Path(self._job.output_folder, _TARGETS_FILE.format(output=number)),
                np.float32,
                "w+",
                shape=(len(self._images), *answer),
            )
            for number, answer in enumerate(self._answers)
        ]
        predict = tf.function(self._model.call, autograph=False, reduce_retracing=True)
        for chosen in self._images.slices(np.arange(len(self._images))):
            found = tf.nest.flatten(predict(self._images.batch(chosen, rounded=False)))
            for target, values in zip(targets, found, strict=True):
                target[chosen] = values.numpy()
            self._progress.advance(len(chosen))
        return targets

    def _calibrate(self, when: str) -> None:
        def batches() -> Iterator[NDArray[np.float32]]:
            for part in self._images.slices(self._calibrating):
                yield self._images.batch(part, rounded=False)

        try:
            self._fake_quant.calibrate(batches, self._job.calibration)
        except FloatingPointError as error:
            raise self._diverged(str(error), when) from error
        self._images.quantize(self._fake_quant.input_tensor())

    def _epoch(self, order: NDArray[np.int64], targets: list[Floats], run: Any, when: str) -> float:
        """Train on all images one time; return the mean loss."""
        total = 0.0
        for chosen in self._images.slices(order):
            wanted = [target[chosen] for target in targets]
            loss = float(run(self._images.batch(chosen, rounded=True), wanted))
            if not math.isfinite(loss):
                raise self._diverged(f"the loss is {loss}", when)
            total += loss * len(chosen)
            self._progress.advance(len(chosen))
        return total / len(order)

    def _diverged(self, what: str, when: str) -> ConversionError:
        return ConversionError(
            self._job.keras_model,
            got=f"quantization-aware training diverged: {what} {when}",
            expected="finite numbers",
            next_step="lower the learning rate",
        )

    def _step(self, images: Any, targets: list[Any]) -> Any:
        import tensorflow as tf

        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._loss(images, targets)
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply(
            [
                tf.zeros_like(variable) if gradient is None else gradient
                for gradient, variable in zip(gradients, variables, strict=True)
            ],
            variables,
        )
        return loss

    def _loss(self, images: Any, targets: list[Any]) -> Any:
        import tensorflow as tf

        outputs = self._fake_quant.run(images)
        if not self._distribution:
            return tf.reduce_mean(
                [
                    tf.reduce_mean(tf.square(output - target)) / variance
                    for output, target, variance in zip(
                        outputs, targets, self._variances, strict=True
                    )
                ]
            )
        (answers,), (target,) = outputs, targets
        if not self._probabilities:
            target = tf.nn.softmax(target)
        surprise = tf.math.log(tf.maximum(target, 1e-12)) - tf.nn.log_softmax(answers)
        return tf.reduce_mean(tf.reduce_sum(target * surprise, axis=-1))
