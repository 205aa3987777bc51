"""What a task is to the workstation: its targets in text, and one score for each answer."""

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
    It is found by its name; see `registry.py`.

    Attributes:
        name: the task's.
        column: what the table of a run's samples calls the target.
        score_name: what people call the mean score.
        figure: what metrics call it, such as `top1` in `test.int8.top1`.
        distribution: whether the numbers of an output are one distribution, as logits are.
    """

    name: ClassVar[str]
    column: ClassVar[str] = "target"
    score_name: ClassVar[str] = "score"
    figure: ClassVar[str] = "score"
    distribution: ClassVar[bool] = False

    @abstractmethod
    def write_target(self, target: Any, said: Said) -> str:
        """Return a target as text; what `target_reader` gives reads the same again."""

    @abstractmethod
    def target_reader(self, said: Said) -> Callable[[str], Any]:
        """Return what reads targets from texts; it raises ValueError where a text says none."""

    def group(self, target: Any) -> Hashable:
        """Return what a target belongs to: splits and draws take the groups in turn."""
        return 0

    def truth(self, target: Any, said: Said) -> str | None:
        """Return what golden frames and pictures say of a target, in a word; None for nothing."""
        return None

    @abstractmethod
    def target_of(self, prediction: Prediction) -> Any:
        """Return a model's answer as a target, by which another's answer can be scored."""

    @abstractmethod
    def outcome(self, target: Any, prediction: Prediction) -> Any:
        """Return what an evaluation keeps of an answer."""

    @abstractmethod
    def evaluation(self, outcomes: Sequence[Any], said: Said) -> Evaluation:
        """Return what came of all answers."""

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return files of a bundle's report, by name.

        Args:
            evaluations: by pictures and precision, such as `test.int8`.
            drawn: the one of which a picture is drawn.
        """
        return {}
