"""How much a model loses compared with another, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.intervals import Comparison, compare_scores


@dataclass(frozen=True, kw_only=True)
class Loss:
    """How much a model loses compared with another on the same pictures, in points of the score.

    Attributes:
        points: the loss of the mean score; below 0 for a gain.
        low: the lower end of the 95 % interval.
        high: the upper end.
    """

    points: float
    low: float
    high: float

    def contradicts(self, budget_points: float | None) -> bool:
        """Return whether the loss exceeds a budget, even at the lower end of the interval."""
        return budget_points is not None and self.low > budget_points

    def leaves_open(self, budget_points: float | None) -> bool:
        """Return whether only a part of the interval exceeds a budget."""
        return budget_points is not None and self.low <= budget_points < self.high

    def text(self) -> str:
        """Return the loss with its interval."""
        # Adding 0 removes the sign of a -0.0.
        points, low, high = (round(x, 2) + 0.0 for x in (self.points, self.low, self.high))
        return f"{points:.2f} points ({low:.2f} to {high:.2f})"


def loss_between(reference: Evaluation, candidate: Evaluation) -> Loss:
    """Return how much the second of two models loses that answered the same pictures."""
    return _loss(reference.compared(candidate))


def loss_of(reference: NDArray[np.float64], scores: NDArray[np.float64]) -> Loss:
    """Return the loss, from scores picture by picture.

    Args:
        reference: (pictures,) scores of the model to compare with, 0 to 1.
        scores: (pictures,) scores of the other model, in the same order.
    """
    return _loss(compare_scores(reference, scores))


def _loss(gained: Comparison) -> Loss:
    return Loss(points=-100 * gained.difference, low=-100 * gained.high, high=-100 * gained.low)
