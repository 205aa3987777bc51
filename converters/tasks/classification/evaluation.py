"""How a classifier answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class ClassEvaluation(Evaluation):
    """How a classifier answered; the groups are the classes.

    Attributes:
        answers: (pictures,) int64: the predicted class.
        logs: (pictures, classes) float32: the logarithms of the probabilities. None where they are
            not known.
    """

    answers: NDArray[np.int64]
    logs: NDArray[np.float32] | None = None

    @property
    def probabilities(self) -> NDArray[np.float32] | None:
        """(pictures, classes) float32: the probability of each class; None if not known."""
        return None if self.logs is None else np.exp(self.logs)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes) int64, rows the truth, columns the answer."""
        classes = len(self.group_names)
        counts = np.bincount(self.groups * classes + self.answers, minlength=classes * classes)
        return counts.reshape(classes, classes).astype(np.int64)
