"""Detection: an answer is held against true boxes, or against another model's objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.counted import CountedEvaluation
from edgeinfer.converters.tasks.detection.evaluation import (
    DetectionEvaluation,
    evaluate_boxes,
    precision_lines,
)
from edgeinfer.converters.tasks.detection.found import paired
from edgeinfer.converters.tasks.detection.page import boxes_parts, detection_parts, draw_boxes
from edgeinfer.converters.tasks.detection.target import BoxesTarget, read_boxes, write_boxes
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.task import min_score
from edgeinfer.device.tasks.prediction import Canvas, Prediction
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tasks.task import Said


class MeasuredDetection(MeasuredTask):
    """Objects in a picture.

    Where true boxes are known, the score is the mean average precision at half overlap, see
    `evaluation.py`. Where another model's answers are the truth, the score of a picture is F1:
    twice the objects found again, of all objects of both answers. So objects that are absent count
    as much as extra ones. Pictures in which neither answer has an object say nothing and are left
    out.
    """

    name: ClassVar[str] = "detection"
    column: ClassVar[str] = "boxes"
    named_folders: ClassVar[bool] = False
    averages: ClassVar[bool] = False
    least_score: ClassVar[float | None] = 0.01
    packages: ClassVar[tuple[str, ...]] = ("faster_coco_eval",)
    draws: ClassVar[bool] = True
    pipeline: ClassVar[str] = "object-detection"
    score_name: ClassVar[str] = "F1"
    figure: ClassVar[str] = "f1"
    counted: ClassVar[str] = "objects found again (F1)"

    def write_target(self, target: BoxesTarget, said: Said) -> str:
        """Return each box as its class and four shares of the picture."""
        return write_boxes(target)

    def target_reader(self, said: Said) -> Callable[[str], BoxesTarget]:
        """Return a function that reads the boxes."""
        return lambda text: read_boxes(text, len(said.labels))

    def group(self, target: BoxesTarget) -> tuple[int, ...]:
        """Return the classes in the picture."""
        return tuple(sorted({thing.label for thing in target.things}))

    def truth(self, target: BoxesTarget, said: Said) -> str:
        """Return how many things of each class there are."""
        counts = np.bincount(target.labels, minlength=len(said.labels))
        named = zip(said.labels, counts.tolist(), strict=True)
        return ", ".join(f"{count} {name}" for name, count in named if count) or "nothing"

    def draw_truth(self, target: BoxesTarget, canvas: Canvas) -> None:
        """Draw the true boxes in white."""
        draw_boxes(target)(canvas)

    def target_of(self, prediction: Prediction) -> Detections:
        """Return the objects."""
        assert isinstance(prediction, Detections)
        return prediction

    def outcome(
        self, target: BoxesTarget | Detections, prediction: Prediction
    ) -> Answered | tuple[int, int]:
        """Return the answer with the truth; of two answers, what they have in common.

        That is how many objects were found again, and how many both answers have together.
        """
        answer = self.target_of(prediction)
        if isinstance(target, BoxesTarget):
            return Answered(target, answer.size, answer.boxes, answer.classes, answer.scores)
        return self.found_again(target, answer), len(target) + len(answer)

    def found_again(self, one: Detections, other: Detections) -> int:
        """Return how many objects two answers have in common."""
        return paired((one.boxes, one.classes), (other.boxes, other.classes))

    def measured(self, answered: Sequence[Answered], said: Said) -> CountedEvaluation:
        """Return the evaluation of answers to pictures with true boxes."""
        return evaluate_boxes(answered, said.labels, min_score(said))

    def evaluation(self, outcomes: Sequence[Answered | tuple[int, int]], said: Said) -> Evaluation:
        """Return how true boxes were found, or F1 of each picture in which one answer has some."""
        answered = [one for one in outcomes if isinstance(one, Answered)]
        if answered:
            return self.measured(answered, said)
        compared = [one for one in outcomes if not isinstance(one, Answered)]
        scores = [2 * found / both for found, both in compared if both]
        return Evaluation(
            scores=np.array(scores, np.float64),
            groups=np.zeros(len(scores), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )

    def summary(
        self, metrics: Mapping[str, float], name: str, said: Said, pictures: int
    ) -> list[str]:
        """Return the three precisions with their intervals, and F1."""
        if f"{name}.map50.low" not in metrics:
            return []
        return precision_lines(metrics, f"{name}.", min_score(said))

    def settled(self, said: Said, evaluation: Evaluation) -> Said:
        """Return the description with the least score that has the best F1."""
        if not isinstance(evaluation, CountedEvaluation):
            return said
        answer = AnswerOptions(min_score=evaluation.best_min_score())
        return find_task(self.name).adjusted(said, answer)

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return precisions, classes, least scores and mistakes, where true boxes are known."""
        if not isinstance(evaluation, DetectionEvaluation):
            return super().page_parts(evaluation, said)
        return detection_parts(evaluation)

    def data_parts(self, targets: Mapping[str, Sequence[Any]], said: Said) -> tuple[Part, ...]:
        """Return how many things of each class and size each split has."""
        return boxes_parts(targets, said.labels)


TASK = MeasuredDetection()
