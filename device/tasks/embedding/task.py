"""Embedding: an output of any number of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.task import Decode, Said, Task, check_vector, is_vector

_FEATURES = {"L2_NORMALIZATION", "MEAN", "AVERAGE_POOL_2D"}
"""Operators behind an embedding; a classifier's last ones are a dense layer and a softmax."""


class EmbeddingTask(Task):
    """A picture as a vector."""

    name: ClassVar[str] = "embedding"

    def check(self, said: Said) -> None:
        """Refuse labels."""
        super().check(said)
        if said.labels:
            raise ValueError("task 'embedding' needs no labels")

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output that is not a vector."""
        check_vector(outputs[0], None)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the output into a vector."""
        output = outputs[0]
        return lambda tensors: Embedding(vector=output.dequantize(tensors[0]).reshape(-1))

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a vector without classes is to be read."""
        output, behind = shown.outputs[0], shown.behind()
        if len(shown.outputs) != 1 or not is_vector(output):
            return None
        if not shown.wanted and (
            behind is None or behind.op not in _FEATURES or shown.pools_classes()
        ):
            return None
        last = "" if behind is None else f", by its last operator, {behind.op}"
        return Guess(task=self.name, reason=f"an embedding of {output.shape[-1]:,} numbers{last}")

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return none: a vector has no classes."""
        return (), None


TASK = EmbeddingTask()
