"""Embedding: an output of any number of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.task import Decode, Said, Task, check_vector


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


TASK = EmbeddingTask()
