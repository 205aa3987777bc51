"""Classification: an output of one number a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.guess import Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Decode, Said, Task, check_vector, is_vector


class ClassificationTask(Task):
    """A class for a picture."""

    name: ClassVar[str] = "classification"
    first_schema: ClassVar[int] = 1
    smooths: ClassVar[bool] = True

    def check(self, said: Said) -> None:
        """Refuse less than two labels."""
        super().check(said)
        if len(said.labels) < 2:
            raise ValueError("task 'classification' needs two labels or more")

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output that has not one number a label."""
        check_vector(outputs[0], len(said.labels))

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns logits, or probabilities, into class probabilities."""
        output, labels = outputs[0], said.labels
        logits = said.decoder.activation == "softmax"

        def decode(tensors: Sequence[NDArray[np.generic]]) -> Classification:
            real = output.dequantize(tensors[0]).reshape(-1)
            return Classification(labels=labels, probabilities=softmax(real) if logits else real)

        return decode

    def guess(self, shown: Shown) -> Guess | None:
        """Return how one number a class is to be read."""
        output = shown.outputs[0]
        if len(shown.outputs) != 1 or not is_vector(output):
            return None
        logits = not gives_probabilities(shown)
        return Guess(
            task=self.name,
            decoder=Decoder(activation="softmax" if logits else "none"),
            classes=output.shape[-1],
            reason=f"a classifier, by its output of {output.shape[-1]:,} numbers",
        )


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, (classes,) float64, that sum to 1."""
    exponents = np.exp(logits - logits.max())
    result: NDArray[np.float64] = exponents / exponents.sum()
    return result


TASK = ClassificationTask()
