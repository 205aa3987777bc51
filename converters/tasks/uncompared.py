"""A task whose answers nothing compares; the user accepts its models unmeasured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said


class UncomparedTask(ComparedTask):
    """Every evaluation is one of no pictures, so that agreement is said to be not known."""

    name: ClassVar[str] = ""

    def target_of(self, prediction: Prediction) -> Any:
        """Return nothing."""
        return None

    def outcome(self, target: Any, prediction: Prediction) -> Any:
        """Return nothing."""
        return None

    def evaluation(self, outcomes: Sequence[Any], said: Said) -> Evaluation:
        """Return an evaluation without pictures."""
        return Evaluation(
            scores=np.empty(0),
            groups=np.empty(0, np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


def uncompared(name: str) -> ComparedTask:
    """Return an object for the task of that name."""
    made: ComparedTask = type("Uncompared", (UncomparedTask,), {"name": name})()
    return made
