"""When to stop, and the best weights until then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray


class EarlyStopping:
    """Stops a training after some epochs without a better validation loss.

    Args:
        patience: how many.

    Attributes:
        weights: those of the best epoch, in Keras's order; empty before the first epoch.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._best = math.inf
        self._stalled = 0
        self.weights: list[NDArray[Any]] = []

    @property
    def stopped(self) -> bool:
        """Whether the training should end."""
        return self._stalled >= self._patience

    def end_epoch(self, loss: float, model: Any) -> None:
        """Take an epoch's validation loss, and the weights if it is the best so far."""
        if loss < self._best or not self.weights:
            self._best, self._stalled = loss, 0
            self.weights = [array.copy() for array in model.get_weights()]
        else:
            self._stalled += 1

    def facts(self) -> dict[str, float]:
        """Return its state without the weights, for a checkpoint."""
        return {"best": self._best, "stalled": self._stalled}

    def restore(self, facts: Mapping[str, Any], weights: list[NDArray[Any]]) -> None:
        """Go on with the state of a checkpoint."""
        self._best, self._stalled = float(facts["best"]), int(facts["stalled"])
        self.weights = weights
