"""One stage of training: epochs until the validation loss stops falling."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import keras

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.host.tasks.task import TaughtTask
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.history import Epoch, History
from edgeinfer.host.training.optimizing.optimizers import make_optimizer
from edgeinfer.host.training.optimizing.schedules import ScheduleCallback


@dataclass(frozen=True, kw_only=True)
class Score:
    """A model's figures on a split.

    Attributes:
        loss: mean of the training loss.
        accuracy: the task's own score of the outputs, 0 to 1: for classes the share of right ones.
    """

    loss: float
    accuracy: float


class FitStage(Protocol):
    """Trains one stage: `fit`, or `fit_with_teacher` with a fixed teacher."""

    def __call__(
        self,
        model: Any,
        train: Batches,
        validation: Batches,
        config: TrainConfig,
        *,
        stage: str,
        history: History,
        progress: Progress,
    ) -> None:
        """See `fit`."""


def compile_model(model: Any, config: TrainConfig, task: TaughtTask) -> None:
    """Compile a model with the settings' optimizer, and the task's loss and metric."""
    model.compile(
        optimizer=make_optimizer(config),
        loss=task.loss(config.loss_settings),
        metrics=[task.metric()],
    )


def with_dropout(model: Any, rate: float, *, start: Any = None) -> Any:
    """Return a model of the same layers that drops features between `pool` and `logits`.

    The original shares its weights and does not change, so the saved model has no dropout.

    Args:
        model: a model of `edgeinfer.host.models`.
        rate: share of the features left out; 0 adds nothing.
        start: the tensor to start from; by default the model's input.
    """
    features = model.get_layer("pool").output
    if rate:
        features = keras.layers.Dropout(rate)(features)
    inputs = model.input if start is None else start
    return keras.Model(inputs, model.get_layer("logits")(features))


def fit(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    *,
    stage: str,
    history: History,
    progress: Progress,
) -> None:
    """Train until the validation loss has not fallen for `config.patience` epochs.

    The model ends with the weights of its best epoch.

    Args:
        model: the model to train; compiled here.
        train: shuffled batches.
        validation: batches in order.
        config: the settings.
        stage: names the epochs in the history.
        history: gets every epoch as it ends.
        progress: reports every step.

    Raises:
        TrainingError: the loss became infinite or NaN.
        StorageError: the history cannot be written.
    """
    compile_model(model, config, train.lesson.task)
    run_stage(model, train, validation, config, stage=stage, history=history, progress=progress)


def run_stage(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    *,
    stage: str,
    history: History,
    progress: Progress,
) -> None:
    """Do what `fit` does with a compiled model that has a metric `accuracy`."""
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=config.patience, restore_best_weights=True
    )
    model.fit(
        train.dataset(repeat=True),
        steps_per_epoch=train.steps,
        epochs=config.epochs,
        validation_data=validation.dataset(),
        shuffle=False,
        verbose=0,
        callbacks=[
            ScheduleCallback(config, steps_per_epoch=train.steps),
            _Watch(config, train.steps, stage, history, progress),
            stopping,
        ],
    )


def evaluate(model: Any, batches: Batches) -> Score:
    """Return loss and accuracy of a compiled model."""
    result = model.evaluate(batches.dataset(), verbose=0, return_dict=True)
    return Score(loss=float(result["loss"]), accuracy=float(result["accuracy"]))


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Updates the progress, writes the history, and stops a training that has failed."""

    def __init__(
        self, config: TrainConfig, steps: int, stage: str, history: History, progress: Progress
    ) -> None:
        super().__init__()
        self._config, self._steps, self._stage = config, steps, stage
        self._history, self._progress = history, progress
        self._started = 0.0
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin a bar."""
        self._epoch = epoch + 1
        self._started = time.monotonic()
        if epoch == 0:
            title = f"{self._stage}: up to {self._config.epochs} epochs"
            self._progress.start(title, self._config.epochs * self._steps)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Update the bar."""
        self._check(logs["loss"])
        self._progress.advance(note=f"epoch {self._epoch}, loss {logs['loss']:.3f}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch to the history."""
        self._check(logs["val_loss"])
        entry = Epoch(
            stage=self._stage,
            epoch=epoch + 1,
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=round(time.monotonic() - self._started, 3),
            **{key: float(logs[key]) for key in ("loss", "accuracy", "val_loss", "val_accuracy")},
        )
        self._history.add(entry)
        self._progress.say(entry.line())

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"{self._stage} epoch {self._epoch}",
                got=f"the loss became {loss:g}",
                expected="a finite number",
                next_step=f"lower the learning rate ({self._config.learning_rate:g} now) "
                "with --learning-rate, or choose --optimizer adamw",
            )
