"""Points: an answer is held against true boxes, or against another model's points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.task import MeasuredDetection
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.points.evaluation import (
    PointsEvaluation,
    evaluate_points,
    point_lines,
)
from edgeinfer.converters.tasks.points.found import centres_of, found_things
from edgeinfer.converters.tasks.points.page import points_parts
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.points.task import points_spec
from edgeinfer.device.tasks.task import Said


class MeasuredPoints(MeasuredDetection):
    """Centres of things in a picture; their targets are boxes, as a detector's are.

    The score is F1 of the things of all pictures, see `evaluation.py`. Where another model's
    answers are the truth it is that of each picture: a thing is found again by a point in the
    square that the other answer has.
    """

    name: ClassVar[str] = "points"
    least_score: ClassVar[float | None] = 0.05
    packages: ClassVar[tuple[str, ...]] = ()
    counted: ClassVar[str] = "things found again (F1)"

    def found_again(self, one: Detections, other: Detections) -> int:
        """Return how many things two answers have in common."""
        points = centres_of(other.boxes), other.classes
        return int(found_things(*points, one.boxes, one.classes).sum())

    def measured(self, answered: Sequence[Answered], said: Said) -> PointsEvaluation:
        """Return the evaluation of answers to pictures with true boxes."""
        return evaluate_points(answered, said.labels, points_spec(said).min_score)

    def summary(
        self, metrics: Mapping[str, float], name: str, said: Said, pictures: int
    ) -> list[str]:
        """Return F1 with its interval, and how well things are counted."""
        return point_lines(metrics, f"{name}.", points_spec(said).min_score)

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return how many things are found and counted, where true boxes are known."""
        if not isinstance(evaluation, PointsEvaluation):
            return super().page_parts(evaluation, said)
        return points_parts(evaluation)


TASK = MeasuredPoints()
