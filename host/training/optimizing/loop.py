"""The loop of one stage: steps, epochs, and checkpoints from which it goes on with equal weights.

It is what Keras's `fit` does. That cannot begin within an epoch, and forgets the best weights, the
sums of the metrics and the schedule.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.history import Epoch, History
from edgeinfer.host.training.keeping.checkpoint_file import Checkpoint
from edgeinfer.host.training.keeping.kept_stage import KeptStage
from edgeinfer.host.training.keeping.variables import (
    give,
    metric_variables,
    state_variables,
    values,
)
from edgeinfer.host.training.optimizing.early_stopping import EarlyStopping
from edgeinfer.host.training.optimizing.schedules import Schedule


class Loop:
    """Trains a compiled model with a metric `accuracy`, epoch by epoch.

    Args:
        model: the model.
        train: shuffled batches.
        validation: batches in order.
        config: the settings.
        stage: names the epochs in the history.
        history: gets every epoch as it ends.
        progress: reports every step.
        kept: the checkpoints; None keeps none.
    """

    def __init__(
        self,
        model: Any,
        train: Batches,
        validation: Batches,
        config: TrainConfig,
        *,
        stage: str,
        history: History,
        progress: Progress,
        kept: KeptStage | None,
    ) -> None:
        self._model, self._train, self._config = model, train, config
        self._validation = validation.dataset()
        self._stage, self._history, self._progress = stage, history, progress
        self._kept = kept
        self._schedule = Schedule(config, steps_per_epoch=train.steps)
        self._stopping = EarlyStopping(config.patience)
        self._epoch, self._step = 0, 0
        self._started = 0.0

    def run(self) -> None:
        """Train; the model ends with the weights of its best epoch.

        Raises:
            TrainingError: the loss became infinite or NaN.
            StorageError: the history or a checkpoint cannot be written.
        """
        model, steps = self._model, self._train.steps
        model.make_train_function()
        model.optimizer.build(model.trainable_variables)
        self._started = time.monotonic()
        self._restore()
        title = f"{self._stage}: up to {self._config.epochs} epochs"
        self._progress.start(title, self._config.epochs * steps)
        if self._epoch or self._step:
            self._progress.advance(self._epoch * steps + self._step)
        batches = iter(self._train.dataset(repeat=True, start=(self._epoch, self._step)))
        while self._epoch < self._config.epochs and not self._stopping.stopped:
            self._run_epoch(batches)
        model.optimizer.finalize_variable_values(model.trainable_weights)
        if self._stopping.weights:
            model.set_weights(self._stopping.weights)

    def _run_epoch(self, batches: Any) -> None:
        model = self._model
        if not self._step:
            model.reset_metrics()
            self._started = time.monotonic()
        while self._step < self._train.steps:
            model.optimizer.learning_rate = self._schedule.rate(
                self._epoch * self._train.steps + self._step
            )
            loss = float(model.train_function(batches)["loss"])
            self._step += 1
            self._require_finite("the loss", loss)
            self._history.step(loss)
            self._progress.advance(note=f"epoch {self._epoch + 1}, loss {loss:.3f}")
            if self._step < self._train.steps:
                self._keep(within_epoch=True)
        logs = {name: float(value) for name, value in model.get_metrics_result().items()}
        checked = model.evaluate(self._validation, verbose=0, return_dict=True)
        self._require_finite("the validation loss", float(checked["loss"]))
        self._epoch, self._step = self._epoch + 1, 0
        self._end_epoch(logs, {name: float(value) for name, value in checked.items()})
        self._keep(within_epoch=False)

    def _end_epoch(self, logs: dict[str, float], checked: dict[str, float]) -> None:
        """Write the epoch to the history."""
        entry = Epoch(
            stage=self._stage,
            epoch=self._epoch,
            learning_rate=float(self._model.optimizer.learning_rate),
            seconds=round(time.monotonic() - self._started, 3),
            loss=logs["loss"],
            accuracy=logs["accuracy"],
            val_loss=checked["loss"],
            val_accuracy=checked["accuracy"],
        )
        self._history.add(entry)
        self._progress.say(entry.line(self._train.lesson.task.shown_score))
        self._schedule.end_epoch(entry.val_loss)
        self._stopping.end_epoch(entry.val_loss, self._model)

    def _keep(self, *, within_epoch: bool) -> None:
        """Write a checkpoint if it is time for one."""
        if self._kept is None or not self._kept.due(within_epoch=within_epoch):
            return
        weights = values(state_variables(self._model))
        if not all(np.isfinite(array).all() for array in weights):
            self._require_finite("a weight", math.nan)
        checkpoint = Checkpoint(
            facts={
                "epoch": self._epoch,
                "step": self._step,
                "epoch-seconds": time.monotonic() - self._started,
                "schedule": self._schedule.facts(),
                "stopping": self._stopping.facts(),
            },
            arrays={
                "model": weights,
                "optimizer": values(self._model.optimizer.variables),
                "best": self._stopping.weights,
                "metrics": values(metric_variables(self._model)) if within_epoch else [],
            },
        )
        self._kept.write(checkpoint, self._history)

    def _restore(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        found = self._kept.found(self._history) if self._kept is not None else None
        if found is None:
            return
        facts, arrays = found.facts, {name: list(group) for name, group in found.arrays.items()}
        self._epoch, self._step = facts["epoch"], facts["step"]
        self._started -= facts["epoch-seconds"]
        self._schedule.restore(facts["schedule"])
        self._stopping.restore(facts["stopping"], arrays["best"])
        give(state_variables(self._model), arrays["model"])
        give(self._model.optimizer.variables, arrays["optimizer"])
        if self._step:
            # The metrics have no variables before they have seen a batch.
            self._model.evaluate(self._validation, steps=1, verbose=0)
            give(metric_variables(self._model), arrays["metrics"])

    def _require_finite(self, what: str, value: float) -> None:
        if math.isfinite(value):
            return
        steps = self._train.steps
        clip = "" if self._config.clip_norm else ", clip the gradients with --clip-norm 1"
        raise TrainingError(
            f"{self._stage} epoch {self._epoch + 1}, step {self._step} of {steps}",
            got=f"{what} became {value:g}",
            expected="a finite number",
            next_step=f"lower the learning rate ({self._config.learning_rate:g} now) "
            f"with --learning-rate{clip}, or choose --optimizer adamw",
        )
