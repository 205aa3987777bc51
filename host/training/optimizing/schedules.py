"""Learning-rate schedules: a factor of the peak rate at each step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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


class Schedule:
    """The learning rate of every step of a stage.

    It is not a Keras schedule, so that the plateau can react to the validation loss.
    """

    def __init__(self, config: TrainConfig, *, steps_per_epoch: int) -> None:
        self._config = config
        self._total = config.epochs * steps_per_epoch
        # A warm-up over most of a short stage would leave no training at the full rate.
        warmup = round(config.warmup_epochs * steps_per_epoch)
        self._warmup = min(warmup, self._total // 5)
        self._plateau = 1.0
        self._best = math.inf
        self._stalled = 0

    def rate(self, step: int) -> float:
        """Return the rate of a step, which counts from 0 over all epochs."""
        config = self._config
        factor = learning_rate_factor(config.schedule, step, warmup=self._warmup, total=self._total)
        return config.learning_rate * factor * self._plateau

    def end_epoch(self, loss: float) -> None:
        """Lower the plateau if the validation loss has not fallen for half the patience."""
        if self._config.schedule != "plateau":
            return
        if loss < self._best:
            self._best, self._stalled = loss, 0
            return
        self._stalled += 1
        if self._stalled >= max(1, self._config.patience // 2):
            self._plateau *= PLATEAU_FACTOR
            self._stalled = 0

    def facts(self) -> dict[str, float]:
        """Return its state, for a checkpoint."""
        return {"plateau": self._plateau, "best": self._best, "stalled": self._stalled}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Go on with the state of a checkpoint."""
        self._plateau, self._best = float(facts["plateau"]), float(facts["best"])
        self._stalled = int(facts["stalled"])
