"""Several classes that do not exclude each other: an output of one number for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.classification.task import sigmoid
from edgeinfer.device.tasks.guess import Guess, Shown, gives_probabilities
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task, check_vector


class MultiLabelTask(Task):
    """Classes of which none, one or several are true, each with its own threshold.

    The output has one number a class: a logit (activation `sigmoid`) or a probability (`none`).
    """

    name: ClassVar[str] = "multilabel"
    first_schema: ClassVar[int] = 3
    parts: ClassVar[frozenset[str]] = frozenset({"multi_label"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score"})
    smooths: ClassVar[bool] = True

    def check(self, said: Said) -> None:
        """Refuse no labels, thresholds that do not fit them, and other activations."""
        super().check(said)
        if not said.labels:
            raise ValueError("task 'multilabel' needs a label or more")
        least = _spec(said).min_scores
        if least is not None and len(least) != len(said.labels):
            raise ValueError(f"{len(least)} min_scores, expected {len(said.labels)}, one a label")
        if said.decoder.activation not in ("sigmoid", "none"):
            raise ValueError(
                f"activation is '{said.decoder.activation}', expected 'sigmoid' or 'none'"
            )

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with one least score for all classes."""
        said = super().adjusted(said, answer)
        if answer.min_score is None:
            return said
        spec = MultiLabelSpec(min_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, multi_label=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output that is not one number a label."""
        check_vector(outputs[0], len(said.labels))

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the numbers into the probability of each class."""
        output, labels, spec = outputs[0], said.labels, _spec(said)
        logits = said.decoder.activation == "sigmoid"

        def decode(tensors: Sequence[NDArray[np.generic]]) -> MultiLabel:
            real = output.dequantize(tensors[0]).reshape(-1)
            return MultiLabel(
                labels=labels,
                probabilities=sigmoid(real) if logits else real,
                min_score=spec.min_score,
                min_scores=spec.min_scores or (),
            )

        return decode

    def guess(self, shown: Shown) -> Guess | None:
        """Return how one number a class is to be read, where the user says that it is that."""
        output = shown.outputs[0]
        numbers = output.shape[-1] if output.shape else 0
        if not shown.wanted or len(shown.outputs) != 1 or int(np.prod(output.shape)) != numbers:
            return None
        activation = "none" if gives_probabilities(shown) else "sigmoid"
        decoder = Decoder(activation=activation, multi_label=MultiLabelSpec())  # type: ignore[arg-type]
        return Guess(task="multilabel", decoder=decoder, classes=numbers)

    def rows(self, said: Said) -> Rows:
        """Return the least score of classes that are named."""
        spec = _spec(said)
        least = f"from a score of {spec.min_score:g}"
        if spec.min_scores is not None:
            pairs = zip(said.labels, spec.min_scores, strict=True)
            least = "from a score of " + ", ".join(f"{score:.2g} ({name})" for name, score in pairs)
        return [*super().rows(said), ("classes", f"several, {least}")]


def _spec(said: Said) -> MultiLabelSpec:
    assert said.decoder.multi_label is not None, "`check` sees to it"
    return said.decoder.multi_label


TASK = MultiLabelTask()
