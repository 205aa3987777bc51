"""Value: two readings agree where they differ by little of what the readings vary by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values

TOLERANCE = 0.05
"""Readings agree within this share of the spread of the true ones: from the lowest to the highest
on the pictures. So the rule needs no unit, and a model that always reads the same does not pass."""


class ComparedValue(ComparedTask):
    """A measured quantity, or several.

    The score of a picture is the share of its values that are near the true ones. Of several values
    one that is the same on all pictures is left out.
    """

    name: ClassVar[str] = "value"
    score_name: ClassVar[str] = "near readings"
    figure: ClassVar[str] = "near"
    counted: ClassVar[str] = f"values within {TOLERANCE:.0%} of their spread"

    def target_of(self, prediction: Prediction) -> NDArray[np.float64]:
        """Return the values, (values,)."""
        if isinstance(prediction, Values):
            return prediction.values
        assert isinstance(prediction, Value)
        return np.array([prediction.value])

    def outcome(
        self, target: NDArray[np.float64], prediction: Prediction
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the true values and the answer's."""
        return target, self.target_of(prediction)

    def evaluation(
        self, outcomes: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], said: Said
    ) -> Evaluation:
        """Return how many of the values are near the true ones, for each picture."""
        pairs = np.array(outcomes, np.float64) if outcomes else np.zeros((1, 2, 1))[:0]
        true, answers = pairs[:, 0], pairs[:, 1]
        # Values that are not numbers have no spread, and are near to nothing.
        with np.errstate(invalid="ignore"):
            spread = np.ptp(true, axis=0) if len(true) else np.zeros(true.shape[1])
            near = np.abs(answers - true) <= TOLERANCE * spread
        if (spread != 0).any():
            near = near[:, spread != 0]
        return Evaluation(
            scores=near.mean(axis=1),
            groups=np.zeros(len(true), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


TASK = ComparedValue()
