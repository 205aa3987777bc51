"""The workstation's side of a task: its targets as text, and one score for each answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.prediction import Canvas, Prediction
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tasks.task import Said


class ComparedTask(ABC):
    """A task whose answers can be scored; stateless, one object for all models.

    The truth is another model's answer, or what a picture is known to show. Both are a target: for
    a class its index, for spots a tuple of points. A task is found by its name; see `registry.py`.

    Attributes:
        name: the task's name.
        score_name: what people call the mean score.
        figure: its name in metrics, such as `top1` in `test.int8.top1`.
        counted: what two models agree on if the score is 1, in words.
        distribution: whether the numbers of an output are one distribution, as logits are.
        draws: whether `draw_truth` draws something.
        averages: whether the score of several pictures is the mean of their scores.
        pipeline: what Hugging Face's model cards call the task; empty where they have no name.
        card_metrics: what they call its metrics.
    """

    name: ClassVar[str]
    score_name: ClassVar[str] = "score"
    figure: ClassVar[str] = "score"
    counted: ClassVar[str] = ""
    distribution: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    averages: ClassVar[bool] = True
    pipeline: ClassVar[str] = ""
    card_metrics: ClassVar[tuple[str, ...]] = ()

    def counts(self, said: Said) -> str:
        """Return what two models of these outputs agree on, in words."""
        return self.counted

    def group(self, target: Any) -> Hashable:
        """Return the group of a target: splits and draws take the groups in turn."""
        return 0

    def truth(self, target: Any, said: Said) -> str | None:
        """Return a target as a word, for golden frames and pictures, or None."""
        return None

    def draw_truth(self, target: Any, canvas: Canvas) -> None:  # noqa: B027
        """Draw where things are onto a picture, below the answer; by default nothing."""

    @abstractmethod
    def target_of(self, prediction: Prediction) -> Any:
        """Return a model's answer as a target, to score another model's answer."""

    @abstractmethod
    def outcome(self, target: Any, prediction: Prediction) -> Any:
        """Return the part of an answer that an evaluation needs."""

    @abstractmethod
    def evaluation(self, outcomes: Sequence[Any], said: Said) -> Evaluation:
        """Return the evaluation of all answers; pictures that say nothing may be left out."""

    def settled(self, said: Said, evaluation: Evaluation) -> Said:
        """Return what is said of a model's outputs with what its answers on validation decide.

        Such as a threshold, or how certain a value is. By default nothing is left to decide.

        Args:
            said: the description so far; it may hold what an earlier form of the model decided.
            evaluation: the answers on pictures that the model has not learned, by `evaluation`.
        """
        return said

    def with_unknown(self, said: Said, evaluation: Evaluation, share: float) -> Said:
        """Return what is said of a model's outputs with a rule for answers that are `unknown`.

        By default no task has one.

        Args:
            said: the description so far.
            evaluation: the answers on pictures that the model has not learned.
            share: of the right answers on these pictures, the largest share that may become
                `unknown`.

        Raises:
            UsageError: the task, or this model, has no such answer.
        """
        raise UsageError(
            "--unknown",
            got=f"is given for a model of task '{self.name}'",
            expected="a model that gives one class a picture",
            next_step="leave it out",
        )

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return files of a bundle's report, by name.

        Args:
            evaluations: by pictures and precision, such as `test.int8`.
            drawn: the evaluation to draw as a picture.
        """
        return {}

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return what a page says of answers, part by part.

        Places of pictures are places in the evaluation. By default what fits any task: the score
        with its interval, the groups, how the scores are spread, and the worst pictures.
        """
        from edgeinfer.converters.tasks.page_parts import evaluation_parts

        return evaluation_parts(evaluation)

    def data_parts(self, targets: Mapping[str, Sequence[Any]], said: Said) -> tuple[Part, ...]:
        """Return what a page says of data, by default the number of pictures in each group.

        Args:
            targets: the targets of each split's samples.
            said: the description of the outputs.
        """
        from edgeinfer.converters.tasks.page_parts import target_parts

        return target_parts(targets, self.group, lambda target: self.truth(target, said))


class MeasuredTask(ComparedTask):
    """A task whose targets can be written into the table of a run's samples.

    Attributes:
        column: the target's column in that table.
        named_folders: whether a folder's name may be the target of its pictures.
        least_score: a model is asked for objects from this score on, instead of those that its
            bundle counts; None asks as the bundle says.
        packages: of the [host] extra, that an evaluation on targets needs.
    """

    column: ClassVar[str] = "target"
    named_folders: ClassVar[bool] = True
    least_score: ClassVar[float | None] = None
    packages: ClassVar[tuple[str, ...]] = ()

    def asking(self, said: Said) -> Said:
        """Return what is said of a model's outputs for a measurement: with `least_score`."""
        if self.least_score is None:
            return said
        return find_task(self.name).adjusted(said, AnswerOptions(min_score=self.least_score))

    def chance(self, targets: Sequence[Any]) -> float:
        """Return the best mean score of a model that gives one answer for all of these targets.

        Models that are not better have learned nothing. 0 where a task has no such answer.
        """
        return 0.0

    def summary(
        self, metrics: Mapping[str, float], name: str, said: Said, pictures: int
    ) -> list[str]:
        """Return the figures of a model for people, a line each; none says just the score.

        Args:
            metrics: figures by name.
            name: the pictures and the precision, such as `validation.keras`: how the names of
                the figures begin.
            said: the description of the outputs.
            pictures: how many there were.
        """
        return []

    def kept_back(self, pictures: int) -> slice:
        """Return the validation pictures that a training may not choose its best epoch by.

        They are for what `settled` measures: errors on pictures that chose the network are a little
        smaller than on others. By default there are none.

        Args:
            pictures: how many validation pictures there are.
        """
        return slice(0, 0)

    @abstractmethod
    def write_target(self, target: Any, said: Said) -> str:
        """Return a target as text, which the function of `target_reader` reads back."""

    @abstractmethod
    def target_reader(self, said: Said) -> Callable[[str], Any]:
        """Return a function that reads targets from texts and raises ValueError for other texts."""
