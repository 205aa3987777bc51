"""What a model loses against another, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.intervals import compare_scores


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a model loses against another on the same pictures, in points of the score.

    Attributes:
        points: of the mean; below 0 for a gain.
        low: the lower end of the 95 % interval.
        high: the upper end.
    """

    points: float
    low: float
    high: float

    def contradicts(self, budget_points: float | None) -> bool:
        """Tell whether more is lost than a budget allows, by more than the interval."""
        return budget_points is not None and self.low > budget_points

    def leaves_open(self, budget_points: float | None) -> bool:
        """Tell whether the interval reaches beyond what a budget allows, though not all of it."""
        return budget_points is not None and self.low <= budget_points < self.high

    def text(self) -> str:
        """Return the loss with its interval."""
        # Adding 0 takes the sign off what is rounded to nothing.
        points, low, high = (round(x, 2) + 0.0 for x in (self.points, self.low, self.high))
        return f"{points:.2f} points ({low:.2f} to {high:.2f})"


def loss_of(reference: NDArray[np.float64], scores: NDArray[np.float64]) -> Loss:
    """Return what is lost, picture by picture.

    Args:
        reference: (pictures,) scores of the model to compare with, 0 to 1.
        scores: of the other one, in the same order.
    """
    gained = compare_scores(reference, scores)
    return Loss(points=-100 * gained.difference, low=-100 * gained.high, high=-100 * gained.low)
