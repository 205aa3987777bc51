"""Detection: an object is found again by one of the same class in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.detection.consensus import overlap
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said

LEAST_OVERLAP = 0.5
"""Intersection over union from which two boxes of a class are the same object, as in PASCAL VOC
(M. Everingham et al., "The PASCAL Visual Object Classes Challenge", 2010)."""


class ComparedDetection(ComparedTask):
    """Objects in a picture.

    The score of a picture is F1: twice the objects found again, of all objects of both answers. So
    objects that are absent count as much as extra ones. Pictures in which neither answer has an
    object say nothing and are left out.
    """

    name: ClassVar[str] = "detection"
    pipeline: ClassVar[str] = "object-detection"
    score_name: ClassVar[str] = "F1"
    figure: ClassVar[str] = "f1"
    counted: ClassVar[str] = "objects found again (F1)"

    def target_of(self, prediction: Prediction) -> Detections:
        """Return the objects."""
        assert isinstance(prediction, Detections)
        return prediction

    def outcome(self, target: Detections, prediction: Prediction) -> tuple[int, int]:
        """Return how many objects were found again, and how many both answers have together."""
        assert isinstance(prediction, Detections)
        return found_again(target, prediction), len(target) + len(prediction)

    def evaluation(self, outcomes: Sequence[tuple[int, int]], said: Said) -> Evaluation:
        """Return F1 of each picture with an object."""
        scores = [2 * found / both for found, both in outcomes if both]
        return Evaluation(
            scores=np.array(scores, np.float64),
            groups=np.zeros(len(scores), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


def found_again(target: Detections, answer: Detections) -> int:
    """Return how many objects of an answer are those of another; each counts once.

    The surest objects choose first, the one of their class that overlaps most.
    """
    free, found = list(range(len(answer))), 0
    for box, label in zip(target.boxes, target.classes, strict=True):
        rivals = [i for i in free if answer.classes[i] == label]
        overlaps = [overlap(box, answer.boxes[i]) for i in rivals]
        if overlaps and max(overlaps) >= LEAST_OVERLAP:
            free.remove(rivals[int(np.argmax(overlaps))])
            found += 1
    return found


TASK = ComparedDetection()
