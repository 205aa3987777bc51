"""Classification: a target is the index of a label, and an answer is right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said


class MeasuredClassification(MeasuredTask):
    """A class for a picture."""

    name: ClassVar[str] = "classification"
    column: ClassVar[str] = "label"
    score_name: ClassVar[str] = "top-1"
    figure: ClassVar[str] = "top1"
    counted: ClassVar[str] = "the same best class"
    distribution: ClassVar[bool] = True

    def write_target(self, target: int, said: Said) -> str:
        """Return the label."""
        return said.labels[target]

    def target_reader(self, said: Said) -> Callable[[str], int]:
        """Return a function that finds a label's index."""
        indices = {label: index for index, label in enumerate(said.labels)}

        def read(text: str) -> int:
            if text not in indices:
                raise ValueError(f"label is {text!r}, expected one of the run's labels")
            return indices[text]

        return read

    def group(self, target: int) -> Hashable:
        """Return the class."""
        return target

    def truth(self, target: int, said: Said) -> str | None:
        """Return the label."""
        return said.labels[target]

    def target_of(self, prediction: Prediction) -> int:
        """Return the best class."""
        assert isinstance(prediction, Classification)
        return prediction.index

    def outcome(self, target: int, prediction: Prediction) -> tuple[int, int, float]:
        """Return the true class, the best one, and the probability of the true one."""
        assert isinstance(prediction, Classification)
        return target, prediction.index, float(prediction.probabilities[target])

    def evaluation(self, outcomes: Sequence[tuple[int, int, float]], said: Said) -> ClassEvaluation:
        """Return how often the best class is the true one."""
        pairs = np.array([outcome[:2] for outcome in outcomes], np.int64).reshape(-1, 2)
        return ClassEvaluation(
            scores=(pairs[:, 0] == pairs[:, 1]).astype(np.float64),
            groups=pairs[:, 0],
            group_names=said.labels,
            score_name=self.score_name,
            certainty=np.array([outcome[2] for outcome in outcomes], np.float64),
            answers=pairs[:, 1],
        )

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return the confusions as tables, and one as a picture."""
        from edgeinfer.converters.tasks.classification.confusion import (
            confusion_picture,
            confusion_table,
        )

        files = {}
        for name, evaluation in evaluations.items():
            assert isinstance(evaluation, ClassEvaluation)
            files[f"confusion.{name}.csv"] = confusion_table(evaluation)
            if name == drawn:
                files[f"confusion.{name}.png"] = confusion_picture(evaluation, name)
        return files


TASK = MeasuredClassification()
