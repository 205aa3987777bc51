"""Classification: an output of one number a class, or of one number for two classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.classification.guess import guess_classifier
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task, check_vector

_ONE_NUMBER = ("sigmoid", "binary")
"""Activations of one number that stands for two classes."""


class ClassificationTask(Task):
    """A class for a picture, or several that do not exclude each other."""

    name: ClassVar[str] = "classification"
    first_schema: ClassVar[int] = 1
    may_have: ClassVar[frozenset[str]] = frozenset({"multi_label", "temperature", "unknown_below"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score"})
    smooths: ClassVar[bool] = True

    def schema(self, said: Said) -> int:
        """Return 3 where several classes may be true, or one number stands for two, and for a
        temperature or a threshold."""
        decoder = said.decoder
        if decoder.temperature is not None or decoder.unknown_below is not None:
            return 3
        return 3 if decoder.multi_label or decoder.activation in _ONE_NUMBER else 1

    def check(self, said: Said) -> None:
        """Refuse less than two labels, and others than two for one number."""
        super().check(said)
        if len(said.labels) < 2:
            raise ValueError("task 'classification' needs two labels or more")
        if said.decoder.activation in _ONE_NUMBER and len(said.labels) != 2:
            raise ValueError(f"{len(said.labels)} labels, expected 2 for one number")
        if said.decoder.multi_label is not None and said.decoder.activation != "none":
            raise ValueError("several classes a picture need probabilities, not logits")
        if said.decoder.multi_label is not None and said.decoder.unknown_below is not None:
            raise ValueError("of several classes a picture none is 'unknown'")
        if said.decoder.temperature is not None and said.decoder.activation != "softmax":
            raise ValueError("a temperature needs logits, whose activation is softmax")

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score of classes that are named."""
        said = super().adjusted(said, answer)
        if answer.min_score is None:
            return said
        spec = said.decoder.multi_label
        if spec is None:
            least = answer.min_score or None  # 0 takes every answer
            return replace(said, decoder=replace(said.decoder, unknown_below=least))
        spec = replace(spec, min_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, multi_label=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output that is not one number a label, or one for two labels."""
        one = said.decoder.activation in _ONE_NUMBER
        check_vector(outputs[0], 1 if one else len(said.labels))

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns logits, or probabilities, into class probabilities."""
        output, labels, decoder = outputs[0], said.labels, said.decoder

        def probabilities(tensors: Sequence[NDArray[np.generic]]) -> NDArray[np.float64]:
            real = output.dequantize(tensors[0]).reshape(-1)
            if decoder.activation in _ONE_NUMBER:
                second = sigmoid(real) if decoder.activation == "sigmoid" else real
                return np.concatenate([1 - second, second])
            if decoder.activation != "softmax":
                return real
            return softmax(real if decoder.temperature is None else real / decoder.temperature)

        if decoder.multi_label is not None:
            least = decoder.multi_label.min_score
            return lambda tensors: MultiLabel(
                labels=labels, probabilities=probabilities(tensors), min_score=least
            )
        return lambda tensors: Classification(
            labels=labels,
            probabilities=probabilities(tensors),
            unknown_below=decoder.unknown_below,
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how one number a class, or one for two classes, is to be read."""
        return guess_classifier(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the labels; two classes need both names.

        Raises:
            ModelError: they do not fit.
        """
        if found is not None and len(found) == 1 and guess.classes == 2:
            raise ModelError(
                subject,
                got=f"one label, '{found[0]}', for two classes",
                expected="two labels: the name of the class at 0, then that at 1",
                next_step=f"such as 'not {found[0]}' on the first line of --labels FILE",
            )
        return super().fit_labels(guess, found, given=given, subject=subject)

    def rows(self, said: Said) -> Rows:
        """Return the least score of classes that are named, the temperature and the threshold."""
        spec = said.decoder.multi_label
        decoder = said.decoder
        more = [] if spec is None else [("classes", f"several, from a score of {spec.min_score:g}")]
        if decoder.temperature is not None:
            more.append(("temperature", f"{decoder.temperature:g}"))
        if decoder.unknown_below is not None:
            more.append(("unknown", f"below a probability of {decoder.unknown_below:g}"))
        return [*super().rows(said), *more]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, (classes,) float64, that sum to 1."""
    with np.errstate(invalid="ignore"):  # of infinite logits nothing is known: they give NaN
        exponents = np.exp(logits - logits.max())
    result: NDArray[np.float64] = exponents / exponents.sum()
    return result


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability, 0 to 1, of each logit."""
    result: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return result


TASK = ClassificationTask()
