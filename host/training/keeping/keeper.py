"""Keeper: each stage of a training goes on where it was stopped, or is not trained again.

Between its stages a training is a function of its settings and its data, so it is simply done
again: a finished stage gives the network the weights that it had at the end, and the stage that was
stopped goes on from its newest checkpoint.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.kept_stage import FitStage, KeptFit, KeptStage


class Keeper:
    """Keeps the stages of one training in a folder.

    Args:
        folder: where the checkpoints are; None keeps nothing.
        seed: of the training. Random numbers are seeded from it before and after each stage, so
            that they do not depend on where a training was stopped.
        progress: reports where a training goes on.
    """

    def __init__(self, folder: Path | None, *, seed: int, progress: Progress) -> None:
        self._folder, self._seed, self._progress = folder, seed, progress
        self._stages = 0
        self._started, self._before_s = time.monotonic(), 0.0

    @property
    def seconds(self) -> float:
        """How long the training has taken in all, without the time in which it was stopped."""
        return self._before_s + time.monotonic() - self._started

    def stages(self, fit: KeptFit) -> FitStage:
        """Return a function that trains a stage, or what is left of it.

        Args:
            fit: trains a stage, and keeps it in what it is given.
        """

        def fit_stage(
            model: Any,
            train: Batches,
            validation: Batches,
            config: TrainConfig,
            *,
            stage: str,
            history: History,
            progress: Progress,
        ) -> None:
            self._stages += 1
            kept = KeptStage(self, self._folder, number=self._stages, name=stage)
            self._seed_all()
            if not kept.finished(model, history):
                fit(
                    *(model, train, validation, config),
                    stage=stage,
                    history=history,
                    progress=progress,
                    kept=kept,
                )
                kept.end(model, history)
            self._seed_all()

        return fit_stage

    def took(self, seconds: float) -> None:
        """Count the time that a training had taken when it was stopped."""
        self._before_s = max(self._before_s, seconds)

    def say(self, text: str) -> None:
        """Say where the training goes on."""
        self._progress.say(text)

    def _seed_all(self) -> None:
        import keras

        keras.utils.set_random_seed((self._seed + 7919 * self._stages) % 2**32)
