"""Segmentation: cells that have the same class, the commonest class left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.task import Said

FORGIVEN = 0.01
"""This share of the cells counts as found again in each picture, so that a speck in a picture
without anything else does not make its score 0."""

Outcome = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Cells of each class, (256,): in the true mask, in the answer, and in both at the same place."""


class ComparedSegmentation(ComparedTask):
    """A class for each place of a picture.

    The score of a picture is F1 of its cells: twice the cells that have the same class, of those of
    both masks. Cells of the class that is the commonest in the true masks, mostly the background,
    do not count: a mask of nothing else has the class of most cells right, too.
    """

    name: ClassVar[str] = "segmentation"
    pipeline: ClassVar[str] = "image-segmentation"
    score_name: ClassVar[str] = "F1 of cells"
    figure: ClassVar[str] = "f1"
    counted: ClassVar[str] = "cells of the same class, without the commonest (F1)"

    def target_of(self, prediction: Prediction) -> NDArray[np.uint8]:
        """Return the classes of the cells."""
        assert isinstance(prediction, Mask)
        return prediction.classes

    def outcome(self, target: NDArray[np.uint8], prediction: Prediction) -> Outcome:
        """Return the cells of each class."""
        assert isinstance(prediction, Mask)
        answer = prediction.classes
        same = target[target == answer]
        true, answered, both = (
            np.bincount(cells.reshape(-1), minlength=256) for cells in (target, answer, same)
        )
        return true, answered, both

    def evaluation(self, outcomes: Sequence[Outcome], said: Said) -> Evaluation:
        """Return F1 of the cells of each picture."""
        counts = np.array(outcomes, np.int64).reshape(-1, 3, 256)
        commonest = int(counts[:, 0].sum(axis=0).argmax())
        forgiven = FORGIVEN * counts[:, 0].sum(axis=1)
        true, answered, both = np.delete(counts, commonest, axis=2).sum(axis=2).T
        return Evaluation(
            scores=(2 * both + forgiven) / np.maximum(true + answered + forgiven, 1e-9),
            groups=np.zeros(len(counts), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


TASK = ComparedSegmentation()
