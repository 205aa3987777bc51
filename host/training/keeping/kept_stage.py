"""The checkpoints of one stage of a training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.history import Epoch, History
from edgeinfer.host.training.keeping.checkpoint_file import (
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)

TIME_SHARE = 0.02
"""Checkpoints may take this share of the time."""

WITHIN_EPOCH_S = 60.0
"""In long epochs a checkpoint is written after this time."""

_CHECKPOINT = "checkpoint-"
_STAGE = "stage-"


class Told(Protocol):
    """The training that a stage belongs to."""

    @property
    def seconds(self) -> float:
        """How long the training has taken in all."""

    def took(self, seconds: float) -> None:
        """Count the time that a training had taken when it was stopped."""

    def say(self, text: str) -> None:
        """Say where the training goes on."""


class KeptStage:
    """The checkpoints of one stage.

    Args:
        told: the training, which reports where the stage goes on.
        folder: where they are; None keeps nothing.
        number: of the stage, from 1.
        name: of the stage.
    """

    def __init__(self, told: Told, folder: Path | None, *, number: int, name: str) -> None:
        self._told, self._folder = told, folder
        self._number, self._name = number, name
        self._written_at, self._took_s = time.monotonic(), 0.0
        self._first_epoch = 0

    def finished(self, model: Any, history: History) -> bool:
        """Return whether the stage was finished; then give the model its weights."""
        self._first_epoch = len(history.epochs)
        found = self._folder and self._read(self._folder / f"{_STAGE}{self._number:03}")
        if not found:
            return False
        from edgeinfer.host.training.keeping.variables import give, state_variables

        give(state_variables(model), found.arrays["model"])
        self._take(found, history)
        self._told.say(f"{self._name}: finished before the training was stopped")
        return True

    def found(self, history: History) -> Checkpoint | None:
        """Return the newest checkpoint of the stage that is whole; add its epochs to the history.

        A damaged one is removed.
        """
        for path in self._newest_first():
            found = self._read(path)
            if found is not None:
                self._take(found, history)
                facts = found.facts
                step = f", step {facts['step']}" if facts["step"] else ""
                self._told.say(f"{self._name}: goes on after epoch {facts['epoch']}{step}")
                return found
        return None

    def due(self, *, within_epoch: bool) -> bool:
        """Return whether it is time for a checkpoint: its cost stays a small share of the time."""
        if self._folder is None:
            return False
        passed_s = time.monotonic() - self._written_at
        if within_epoch and passed_s < WITHIN_EPOCH_S:
            return False
        return passed_s * TIME_SHARE >= self._took_s * (1 - TIME_SHARE)

    def write(self, checkpoint: Checkpoint, history: History) -> None:
        """Write a checkpoint and keep the one before it.

        Raises:
            StorageError: the disk is full or cannot be written. Earlier checkpoints stay.
        """
        if self._folder is None:
            return
        started = time.monotonic()
        earlier = list(self._newest_first())
        serial = 1 + max((int(path.name.removeprefix(_CHECKPOINT)) for path in earlier), default=0)
        write_checkpoint(
            self._folder / f"{_CHECKPOINT}{serial:08}", self._with_facts(checkpoint, history)
        )
        for path in earlier[1:]:
            path.unlink(missing_ok=True)
        self._written_at = time.monotonic()
        self._took_s = self._written_at - started

    def end(self, model: Any, history: History) -> None:
        """Keep the weights that the stage ended with.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        if self._folder is None:
            return
        from edgeinfer.host.training.keeping.variables import state_variables, values

        done = Checkpoint(facts={}, arrays={"model": values(state_variables(model))})
        path = self._folder / f"{_STAGE}{self._number:03}"
        write_checkpoint(path, self._with_facts(done, history))

    def _with_facts(self, checkpoint: Checkpoint, history: History) -> Checkpoint:
        facts = {
            **checkpoint.facts,
            "stage": [self._number, self._name],
            "seconds": self._told.seconds,
            "epochs": [asdict(epoch) for epoch in history.epochs[self._first_epoch :]],
        }
        return Checkpoint(facts=facts, arrays=checkpoint.arrays)

    def _take(self, found: Checkpoint, history: History) -> None:
        history.extend(Epoch(**epoch) for epoch in found.facts["epochs"])
        self._told.took(found.facts["seconds"])

    def _newest_first(self) -> Iterator[Path]:
        if self._folder is not None:
            yield from sorted(self._folder.glob(f"{_CHECKPOINT}*"), reverse=True)

    def _read(self, path: Path) -> Checkpoint | None:
        """Return a checkpoint of this stage; remove a damaged one."""
        found = read_checkpoint(path)
        if found is None:
            if path.exists():
                self._told.say(f"{path.name} is damaged: the checkpoint before it is used")
                with suppress(OSError):
                    path.unlink()
            return None
        return found if found.facts["stage"] == [self._number, self._name] else None


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
        """See `edgeinfer.host.training.fit.fit`."""


class KeptFit(Protocol):
    """A `FitStage` that goes on from a checkpoint."""

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
        kept: KeptStage | None = None,
    ) -> None:
        """See `edgeinfer.host.training.fit.fit`."""


def kept_state(folder: Path) -> str:
    """Return where a training in this folder of checkpoints was stopped; empty if at its start."""
    stages = sorted(folder.glob(f"{_STAGE}*"))
    for path in [*sorted(folder.glob(f"{_CHECKPOINT}*"), reverse=True), *stages[::-1]]:
        found = read_checkpoint(path)
        if found is None:
            continue
        (number, name), epoch = found.facts["stage"], len(found.facts["epochs"])
        if path.name.startswith(_STAGE) or len(stages) < number:
            step = f", step {found.facts['step']}" if found.facts.get("step") else ""
            return f"{name} epoch {epoch}{step}"
    return ""
