"""Learning-rate schedules: a factor of the peak rate at each step."""

from __future__ import annotations

import math
from typing import Any

import keras

from edgeinfer.host.training.config import TrainConfig

STEP_FACTOR = 0.1
STEP_AT = (0.5, 0.75)
"""`step` multiplies by `STEP_FACTOR` at these shares of all epochs (He et al. 2016)."""

PLATEAU_FACTOR = 0.3


def learning_rate_factor(schedule: str, step: int, *, warmup: int, total: int) -> float:
    """Return the factor, 0 to 1, of the peak learning rate at `step`.

    Args:
        schedule: `constant`, `cosine` (Loshchilov and Hutter 2017), `step` or `plateau`, which
            is constant until the validation loss stops falling.
        step: from 0.
        warmup: steps of linear rise.
        total: steps in all.
    """
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    if schedule == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * done))
    if schedule == "step":
        return STEP_FACTOR ** sum(done >= share for share in STEP_AT)
    return 1.0


class ScheduleCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the optimizer's learning rate before every step.

    It is a callback, not a Keras schedule, so that all stages work in the same way and the plateau
    can react to the validation loss.
    """

    def __init__(self, config: TrainConfig, *, steps_per_epoch: int) -> None:
        super().__init__()
        self._config = config
        self._total = config.epochs * steps_per_epoch
        # A warm-up over most of a short stage would leave no training at the full rate.
        warmup = round(config.warmup_epochs * steps_per_epoch)
        self._warmup = min(warmup, self._total // 5)
        self._step = 0
        self._plateau = 1.0
        self._best = math.inf
        self._stalled = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate of this step."""
        config = self._config
        factor = learning_rate_factor(
            config.schedule, self._step, warmup=self._warmup, total=self._total
        )
        self.model.optimizer.learning_rate = config.learning_rate * factor * self._plateau
        self._step += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Lower the plateau if the validation loss has not fallen for half the patience."""
        if self._config.schedule != "plateau":
            return
        loss = float(logs["val_loss"])
        if loss < self._best:
            self._best, self._stalled = loss, 0
            return
        self._stalled += 1
        if self._stalled >= max(1, self._config.patience // 2):
            self._plateau *= PLATEAU_FACTOR
            self._stalled = 0
