"""Which models answer. Others can replace them between two frames, while the loop runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.tasks.prediction import Prediction


class Predictor(Protocol):
    """What the loop needs of a model; `edgeinfer.device.models.model.Model` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes; empty for a model of values."""
        ...

    @property
    def region(self) -> Region | None:
        """The part of each frame that it sees; None for all of it."""
        ...

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        """Return the input tensor for a frame, in `out` where that is given."""
        ...

    def infer(self, tensor: NDArray[np.generic]) -> Prediction:
        """Return the prediction for an input tensor."""
        ...


class ModelSet:
    """Models that are all the same, one for each thread that infers.

    A frame keeps to one set from its preparation to its answer: the tensor of one model means
    nothing to another.

    Attributes:
        models: the models; the first one prepares the frames.
        idle: set when the set was replaced and no frame needs it any more.
    """

    def __init__(self, models: Sequence[Predictor]) -> None:
        self.models = tuple(models)
        self.idle = threading.Event()
        self.frames = 0


class CurrentModels:
    """The set that new frames get, and for each set how many frames are on their way."""

    def __init__(self, models: Sequence[Predictor]) -> None:
        self._lock = threading.Lock()
        self._current = ModelSet(models)

    def take(self) -> ModelSet:
        """Return the present set for one frame; `give_back` when that frame is through."""
        with self._lock:
            self._current.frames += 1
            return self._current

    def give_back(self, models: ModelSet) -> None:
        """Say that a frame needs its set no longer."""
        with self._lock:
            models.frames -= 1
            self._settle(models)

    def replace(self, models: Sequence[Predictor]) -> threading.Event:
        """Let the frames from now on have other models.

        Returns:
            What is set as soon as no frame needs those before.

        Raises:
            ValueError: their number is another one.
        """
        with self._lock:
            before = self._current
            if len(models) != len(before.models):
                raise ValueError(f"{len(models)} models in place of {len(before.models)}")
            self._current = ModelSet(models)
            self._settle(before)
            return before.idle

    def _settle(self, models: ModelSet) -> None:
        if models is not self._current and not models.frames:
            models.idle.set()
