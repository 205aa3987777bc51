"""Pose: a keypoint is found again near its place in the same person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said

NEAR = 0.05
"""Two keypoints are in the same place within this share of the picture's longer side."""

LEAST_SCORE = 0.3
"""Keypoints that score less are guesses of what is hidden, and do not count."""


class ComparedPose(ComparedTask):
    """People by their keypoints.

    The score of a picture is F1: twice the keypoints found again, of all keypoints of both answers.
    Pictures in which neither answer has a keypoint say nothing and are left out.
    """

    name: ClassVar[str] = "pose"
    pipeline: ClassVar[str] = "keypoint-detection"
    score_name: ClassVar[str] = "F1 of keypoints"
    figure: ClassVar[str] = "f1"
    counted: ClassVar[str] = f"keypoints within {NEAR:.0%} of the picture (F1)"

    def target_of(self, prediction: Prediction) -> Poses:
        """Return the people."""
        assert isinstance(prediction, Poses)
        return prediction

    def outcome(self, target: Poses, prediction: Prediction) -> tuple[int, int]:
        """Return how many keypoints were found again, and how many both answers have together."""
        assert isinstance(prediction, Poses)
        both = int(_sure(target).sum() + _sure(prediction).sum())
        return keypoints_again(target, prediction), both

    def evaluation(self, outcomes: Sequence[tuple[int, int]], said: Said) -> Evaluation:
        """Return F1 of each picture with a keypoint."""
        scores = [2 * found / both for found, both in outcomes if both]
        return Evaluation(
            scores=np.array(scores, np.float64),
            groups=np.zeros(len(scores), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


def keypoints_again(target: Poses, answer: Poses) -> int:
    """Return how many keypoints of an answer are where those of another are; each counts once.

    The surest people choose first, the person with the most keypoints near their own.
    """
    near = NEAR * max(target.size)
    sure, answered = _sure(target), _sure(answer)
    free, found = list(range(len(answer))), 0
    for person in range(len(target)):
        if not free:
            break
        with np.errstate(invalid="ignore"):
            ways = np.linalg.norm(target.keypoints[person] - answer.keypoints[free], axis=2)
        shared = ((ways <= near) & sure[person] & answered[free]).sum(axis=1)
        if shared.max():
            found += int(shared.max())
            free.pop(int(shared.argmax()))
    return found


def _sure(poses: Poses) -> NDArray[np.bool_]:
    """Return which keypoints count, (people, keypoints)."""
    return poses.keypoint_scores >= LEAST_SCORE


TASK = ComparedPose()
