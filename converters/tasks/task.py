"""The workstation's side of a task: its targets as text, and one score for each answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said


class MeasuredTask(ABC):
    """A task's targets and scores; stateless, one object for all models.

    A target is what a picture is known to show: for a class its index, for spots a tuple of points.
    A task is found by its name; see `registry.py`.

    Attributes:
        name: the task's name.
        column: the target's column in the table of a run's samples.
        score_name: what people call the mean score.
        figure: its name in metrics, such as `top1` in `test.int8.top1`.
        distribution: whether the numbers of an output are one distribution, as logits are.
    """

    name: ClassVar[str]
    column: ClassVar[str] = "target"
    score_name: ClassVar[str] = "score"
    figure: ClassVar[str] = "score"
    distribution: ClassVar[bool] = False

    @abstractmethod
    def write_target(self, target: Any, said: Said) -> str:
        """Return a target as text, which the function of `target_reader` reads back."""

    @abstractmethod
    def target_reader(self, said: Said) -> Callable[[str], Any]:
        """Return a function that reads targets from texts and raises ValueError for other texts."""

    def group(self, target: Any) -> Hashable:
        """Return the group of a target: splits and draws take the groups in turn."""
        return 0

    def truth(self, target: Any, said: Said) -> str | None:
        """Return a target as a word, for golden frames and pictures, or None."""
        return None

    @abstractmethod
    def target_of(self, prediction: Prediction) -> Any:
        """Return a model's answer as a target, to score another model's answer."""

    @abstractmethod
    def outcome(self, target: Any, prediction: Prediction) -> Any:
        """Return the part of an answer that an evaluation needs."""

    @abstractmethod
    def evaluation(self, outcomes: Sequence[Any], said: Said) -> Evaluation:
        """Return the evaluation of all answers."""

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return files of a bundle's report, by name.

        Args:
            evaluations: by pictures and precision, such as `test.int8`.
            drawn: the evaluation to draw as a picture.
        """
        return {}
