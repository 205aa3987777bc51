"""Value: two readings agree where they differ by little of what the readings vary by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value

TOLERANCE = 0.05
"""Readings agree within this share of the spread of the true ones: from the lowest to the highest
on the pictures. So the rule needs no unit, and a model that always reads the same does not pass."""


class ComparedValue(ComparedTask):
    """A measured quantity."""

    name: ClassVar[str] = "value"
    score_name: ClassVar[str] = "near readings"
    figure: ClassVar[str] = "near"
    counted: ClassVar[str] = f"values within {TOLERANCE:.0%} of their spread"

    def target_of(self, prediction: Prediction) -> float:
        """Return the value."""
        assert isinstance(prediction, Value)
        return prediction.value

    def outcome(self, target: float, prediction: Prediction) -> tuple[float, float]:
        """Return the true value and the answer."""
        assert isinstance(prediction, Value)
        return target, prediction.value

    def evaluation(self, outcomes: Sequence[tuple[float, float]], said: Said) -> Evaluation:
        """Return how often the answer is near the true value."""
        true, answers = np.array(outcomes, np.float64).reshape(-1, 2).T
        # Values that are not numbers have no spread, and are near to nothing.
        with np.errstate(invalid="ignore"):
            spread = np.ptp(true) if len(true) else 0.0
            near = np.abs(answers - true) <= TOLERANCE * spread
        return Evaluation(
            scores=near.astype(np.float64),
            groups=np.zeros(len(true), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


TASK = ComparedValue()
