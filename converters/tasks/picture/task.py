"""Picture: places whose values differ by little of what the values vary by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.picture.prediction import OutputPicture
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said

TOLERANCE = 0.05
"""Values agree within this share of the range of the true ones: from black to white where the model
states that, else from the lowest to the highest of the picture."""


class ComparedPicture(ComparedTask):
    """A picture or a map of a picture; the score is the share of its numbers that are near."""

    name: ClassVar[str] = "picture"
    pipeline: ClassVar[str] = "image-to-image"
    score_name: ClassVar[str] = "near values"
    figure: ClassVar[str] = "near"
    counted: ClassVar[str] = f"places whose values are within {TOLERANCE:.0%} of their range"

    def target_of(self, prediction: Prediction) -> OutputPicture:
        """Return the picture."""
        assert isinstance(prediction, OutputPicture)
        return prediction

    def outcome(self, target: OutputPicture, prediction: Prediction) -> float:
        """Return the share of numbers that are near the true ones."""
        assert isinstance(prediction, OutputPicture)
        span = target.range or _extremes(target.values)
        # What is not a number is near to nothing.
        with np.errstate(invalid="ignore"):
            ways = np.abs(prediction.values - target.values)
            return float((ways <= TOLERANCE * (span[1] - span[0])).mean())

    def evaluation(self, outcomes: Sequence[float], said: Said) -> Evaluation:
        """Return the share of each picture."""
        return Evaluation(
            scores=np.array(outcomes, np.float64),
            groups=np.zeros(len(outcomes), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


def _extremes(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


TASK = ComparedPicture()
