"""Embedding: two vectors agree as far as they point the same way, seen from all pictures' mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said

Vector = NDArray[np.float64]


class ComparedEmbedding(ComparedTask):
    """A picture as a vector."""

    name: ClassVar[str] = "embedding"
    pipeline: ClassVar[str] = "image-feature-extraction"
    score_name: ClassVar[str] = "cosine"
    figure: ClassVar[str] = "cosine"
    counted: ClassVar[str] = "cosine of the vectors without their mean"

    def target_of(self, prediction: Prediction) -> Vector:
        """Return the vector."""
        assert isinstance(prediction, Embedding)
        return prediction.vector

    def outcome(self, target: Vector, prediction: Prediction) -> tuple[Vector, Vector]:
        """Return the true vector and the answer."""
        assert isinstance(prediction, Embedding)
        return target, prediction.vector

    def evaluation(self, outcomes: Sequence[tuple[Vector, Vector]], said: Said) -> Evaluation:
        """Return the cosine of each pair, below 0 as 0.

        The mean of the true vectors is subtracted from all first. Vectors whose numbers are never
        negative point the same way by half whatever the pictures are; what tells pictures apart is
        how a vector differs from the mean. A single picture has no mean to differ from.
        """
        pairs = np.array(outcomes, np.float64) if outcomes else np.empty((0, 2, 1))
        true, answers = pairs[:, 0], pairs[:, 1]
        if len(true) > 1:
            mean = true.mean(axis=0)
            true, answers = true - mean, answers - mean
        lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(answers, axis=1)
        cosines = np.zeros(len(true))
        with np.errstate(invalid="ignore"):
            np.divide((true * answers).sum(axis=1), lengths, out=cosines, where=lengths > 0)
        return Evaluation(
            scores=np.clip(np.nan_to_num(cosines), 0.0, 1.0),
            groups=np.zeros(len(true), np.int64),
            group_names=("all",),
            score_name=self.score_name,
        )


TASK = ComparedEmbedding()
