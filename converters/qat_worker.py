"""Quantization-aware training: `python -m edgeinfer.converters.qat_worker JOB`.

TensorFlow stays out of the caller's process, and may end this one. JOB is a JSON file that `QatJob`
describes; what comes out are files, and on stdout a line `DONE TOTAL` after each batch.

Method: quantization-aware training by fake quantization (see `qat_twin`), with the float model
itself as the teacher, so that no labels are needed: the Kullback-Leibler divergence from its
probabilities (Hinton et al. 2015, arXiv:1503.02531, at temperature 1), or the squared error as a
share of the answers' variance where they are no distribution over two classes or more.

Written here because tensorflow-model-optimization knows only the legacy Keras, whose models do not
cross over as `.keras` files, and installs beside tensorflow-cpu by force alone.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.calibration import CalibrationMethod
from edgeinfer.device.bundle.strict import from_json, parse_json, to_json
from edgeinfer.device.errors import ConversionError, EdgeinferError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table, tensor_table
from edgeinfer.device.types import TensorSpec

TUNED_FILE = "tuned.keras"
ANSWER_FILE = "answer.json"
ERROR_FILE = "error.json"
_TARGETS_FILE = "targets.raw"

ADAM_EPSILON = 1e-3
"""Adam makes steps of full length out of gradients however small, and so shakes a model that hardly
needs training: EfficientNet-Lite0 went from 0.0005 nats to 0.024 in 8 steps of 1e-4. With this
epsilon it went to 0.0003, and a model that INT8 had ruined recovered as fast as without."""


@dataclass(frozen=True, kw_only=True)
class QatJob:
    """What the worker is to do.

    Attributes:
        keras_model: the `.keras` file; its input is (H, W, C) float32.
        preprocess: how the images become inputs.
        images: raw uint8 images of `preprocess.shape`, one after another.
        output_folder: receives TUNED_FILE and ANSWER_FILE, or ERROR_FILE.
        calibration_images: how many of the images, the first, give the activations' ranges.
        epochs: rounds over all images.
        learning_rate: of Adam at the start; a cosine takes it to 0.
        batch_size: images a step.
        seed: of their order.
        calibration: how ranges are chosen.
        per_tensor_dense: one scale for all weights of a dense layer.
    """

    keras_model: str
    preprocess: PreprocessSpec
    images: str
    output_folder: str
    calibration_images: int
    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    calibration: CalibrationMethod
    per_tensor_dense: bool


@dataclass(frozen=True, kw_only=True)
class QatAnswer:
    """What came out.

    Attributes:
        losses: before training and of each epoch, the mean over the images.
        uncovered: names of layers whose inner results were not rounded.
    """

    losses: tuple[float, ...]
    uncovered: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkerError:
    """An error's parts, for the caller to raise it again."""

    got: str
    expected: str
    next_step: str


class _Images:
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
        return len(self._raw)

    def quantize(self, tensor: TensorSpec) -> None:
        """Choose the INT8 input that `rounded` images have been through."""
        self._rounded = tensor.dequantize(tensor_table(self._spec, tensor)).astype(np.float32)

    def batch(self, chosen: Any, *, rounded: bool) -> NDArray[np.float32]:
        """Return (N, H, W, C) float32, as the model's float or its INT8 input holds it."""
        table = self._rounded if rounded else self._table
        values: NDArray[np.float32] = table[self._channels, self._raw[chosen]]
        return values

    def slices(self, order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield an order's parts, a batch each."""
        for start in range(0, len(order), self._batch):
            # The file is read from front to back within a batch.
            yield np.sort(order[start : start + self._batch])


def run_job(job: QatJob) -> QatAnswer:
    """Fine-tune the model and save it as it was, with its new weights.

    Raises:
        ConversionError: the model is not one that can be trained here, or training diverged.
    """
    import keras

    from edgeinfer.converters.qat_lowering import int8_graph
    from edgeinfer.converters.qat_twin import Twin

    keras.utils.set_random_seed(job.seed)
    model = keras.saving.load_model(job.keras_model, compile=False)
    model.trainable = True  # layers that an earlier stage froze, too
    graph = int8_graph(model)
    _require_shape(model, job)
    twin = Twin(graph, per_tensor_dense=job.per_tensor_dense)
    losses = _Training(job, model, twin, softmax=graph.softmax).losses()
    # A fresh copy carries nothing but the weights, frozen where the original is.
    tuned = keras.saving.load_model(job.keras_model, compile=False)
    for variable, value in zip(tuned.variables, model.variables, strict=True):
        variable.assign(value)
    tuned.save(Path(job.output_folder, TUNED_FILE))
    return QatAnswer(losses=tuple(losses), uncovered=tuple(dict.fromkeys(graph.uncovered)))


def _require_shape(model: Any, job: QatJob) -> None:
    shape = tuple(model.inputs[0].shape[1:])
    if shape != job.preprocess.shape:
        raise ConversionError(
            job.keras_model, got=f"its input is {shape}", expected=str(job.preprocess.shape)
        )


class _Training:
    """One run: the float model's answers first, then epoch after epoch."""

    def __init__(self, job: QatJob, model: Any, twin: Any, *, softmax: bool) -> None:
        import keras

        self._job, self._model, self._twin = job, model, twin
        self._images = _Images(job)
        self._calibrating = np.arange(min(len(self._images), job.calibration_images))
        self._per_epoch = math.ceil(len(self._images) / job.batch_size)
        self._done = 0
        answer = tuple(model.outputs[0].shape[1:])
        self._probabilities = softmax
        self._distribution = softmax or (len(answer) == 1 and answer[0] >= 2)
        self._variance = 1.0
        steps = self._per_epoch * job.epochs
        warmup = steps // 10
        # Adam's first steps are as long as the learning rate allows, however good the model is.
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, steps - warmup, warmup_target=job.learning_rate, warmup_steps=warmup
        )
        self._optimizer = keras.optimizers.Adam(schedule, epsilon=ADAM_EPSILON)
        self._optimizer.build(model.trainable_variables)

    def losses(self) -> list[float]:
        """Train; return the mean loss before it and of each epoch."""
        import tensorflow as tf

        job = self._job
        order = np.random.default_rng(job.seed)
        targets = self._targets()
        measure = tf.function(self._loss, autograph=False, reduce_retracing=True)
        step = tf.function(self._step, autograph=False, reduce_retracing=True)
        everything = np.arange(len(self._images))
        if not self._distribution:
            self._variance = max(float(np.var(targets)), 1e-12)
        self._calibrate()
        losses = [self._epoch(everything, targets, measure, "before training")]
        for epoch in range(1, job.epochs + 1):
            if epoch > 1:
                # Weights have moved, and with them the ranges that the converter will find.
                self._calibrate()
            shuffled = order.permutation(everything)
            losses.append(self._epoch(shuffled, targets, step, f"in epoch {epoch}"))
        return losses

    def _targets(self) -> NDArray[np.float32]:
        """Return the float model's answers, in a file: a picture's may be as large as itself."""
        import tensorflow as tf

        answer = tuple(self._model.outputs[0].shape[1:])
        targets = np.memmap(
            Path(self._job.output_folder, _TARGETS_FILE),
            np.float32,
            "w+",
            shape=(len(self._images), *answer),
        )
        teach = tf.function(self._model.call, autograph=False, reduce_retracing=True)
        for chosen in self._images.slices(np.arange(len(self._images))):
            targets[chosen] = teach(self._images.batch(chosen, rounded=False)).numpy()
            self._report()
        return targets

    def _calibrate(self) -> None:
        def batches() -> Iterator[NDArray[np.float32]]:
            for part in self._images.slices(self._calibrating):
                yield self._images.batch(part, rounded=False)

        self._twin.calibrate(batches, self._job.calibration)
        self._images.quantize(self._twin.input_tensor())

    def _epoch(
        self, order: NDArray[np.int64], targets: NDArray[np.float32], run: Any, when: str
    ) -> float:
        """Go once through the images; return the mean loss."""
        total = 0.0
        for chosen in self._images.slices(order):
            loss = float(run(self._images.batch(chosen, rounded=True), targets[chosen]))
            if not math.isfinite(loss):
                raise ConversionError(
                    self._job.keras_model,
                    got=f"quantization-aware training diverged: the loss is {loss} {when}",
                    expected="a number that falls",
                    next_step="lower the learning rate",
                )
            total += loss * len(chosen)
            self._report()
        return total / len(order)

    def _step(self, images: Any, target: Any) -> Any:
        import tensorflow as tf

        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._loss(images, target)
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply(
            [
                tf.zeros_like(variable) if gradient is None else gradient
                for gradient, variable in zip(gradients, variables, strict=True)
            ],
            variables,
        )
        return loss

    def _loss(self, images: Any, target: Any) -> Any:
        import tensorflow as tf

        answers = self._twin.run(images)
        if not self._distribution:
            return tf.reduce_mean(tf.square(answers - target)) / self._variance
        if not self._probabilities:
            target = tf.nn.softmax(target)
        surprise = tf.math.log(tf.maximum(target, 1e-12)) - tf.nn.log_softmax(answers)
        return tf.reduce_mean(tf.reduce_sum(target * surprise, axis=-1))

    def _report(self) -> None:
        """Tell the caller; the answers and the loss before training are a round each."""
        self._done += 1
        print(self._done, self._per_epoch * (2 + self._job.epochs), flush=True)


def main() -> int:
    """Run the job that the command line names; an error's parts go into ERROR_FILE."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    job = from_json(QatJob, parse_json(Path(sys.argv[1]).read_bytes()))
    folder = Path(job.output_folder)
    try:
        answer = run_job(job)
    except EdgeinferError as error:
        got = error.got
        if error.subject != job.keras_model:
            got = f"'{error.subject}' {got}"
        _write(folder / ERROR_FILE, got, error.expected, error.next_step)
        return 1
    except Exception as error:  # whatever TensorFlow raises, the parent turns it into a sentence
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        text = f"cannot be trained ({type(error).__name__}: {reason[:300]})"
        _write(folder / ERROR_FILE, text, "", "leave quantization-aware training out")
        return 1
    (folder / ANSWER_FILE).write_text(json.dumps(to_json(answer)), encoding="utf-8")
    return 0


def _write(path: Path, got: str, expected: str, next_step: str) -> None:
    error = WorkerError(got=got, expected=expected, next_step=next_step)
    path.write_text(json.dumps(to_json(error)), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
