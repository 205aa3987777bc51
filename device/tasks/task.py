"""What a kind of model is to a board: how its outputs are read, and what may be said of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.labels import fit_labels, named
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.spec import Decoder, ValueSpec

Decode: TypeAlias = Callable[[Sequence[NDArray[np.generic]]], Prediction]
"""Outputs, as a runtime gives them, to a prediction in the model's own image."""

Rows: TypeAlias = list[tuple[str, str]]
"""A title and a text each, for `inspect`."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a manifest, or a guess, says of a model's outputs.

    Attributes:
        labels: the classes in the output's order; of a pose the keypoints, where they are named.
        decoder: how the outputs are to be read.
        value: unit and scale of a measured quantity.
        settings: what else the task's own decoder gets, by name.
    """

    labels: tuple[str, ...] = ()
    decoder: Decoder = field(default_factory=Decoder)
    value: ValueSpec | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


class Task(ABC):
    """What a model predicts, as a board has to know it: stateless, one object for all models.

    It is found by its name; see `registry.py`.

    Attributes:
        name: what manifests call it.
        first_schema: the oldest manifest schema that has it.
        parts: which of `value`, `detection` and `pose` its manifests have; others are refused.
        may_have: which parts its manifests may have, such as `multi_label`.
        adjusts: which fields of `AnswerOptions` its models obey.
        measures: whether its labels name measured numbers, not classes with scores.
        has_places: whether its predictions have places in a picture.
        smooths: whether its predictions can be smoothed over several frames.
        has_objects: whether its predictions are `Detections`, which can be followed and counted.
    """

    name: ClassVar[str]
    first_schema: ClassVar[int] = 2
    parts: ClassVar[frozenset[str]] = frozenset()
    may_have: ClassVar[frozenset[str]] = frozenset()
    adjusts: ClassVar[frozenset[str]] = frozenset()
    measures: ClassVar[bool] = False
    has_places: ClassVar[bool] = False
    smooths: ClassVar[bool] = False
    has_objects: ClassVar[bool] = False

    def check(self, said: Said) -> None:
        """Refuse what does not fit the task; a subclass adds what it knows of labels.

        Raises:
            ValueError: with what was found and what was expected.
        """
        for part, there, what in (
            ("value", said.value is not None, "a value's unit"),
            ("detection", said.decoder.detection is not None, "a decoder for detection"),
            ("pose", said.decoder.pose is not None, "a decoder for poses"),
            ("anchors", said.decoder.anchors is not None, "a decoder for anchors"),
            ("keypoints", said.decoder.keypoints is not None, "a decoder for keypoints"),
            ("picture", said.decoder.picture is not None, "the range of a picture"),
            ("candidates", said.decoder.candidates is not None, "a decoder for candidates"),
            ("grids", said.decoder.grids is not None, "a decoder for grids"),
            ("points", said.decoder.points is not None, "a decoder for points"),
            ("multi_label", said.decoder.multi_label is not None, "several classes a picture"),
            ("temperature", said.decoder.temperature is not None, "a temperature"),
            ("unknown_below", said.decoder.unknown_below is not None, "answers that are unknown"),
        ):
            if part not in self.may_have and there != (part in self.parts):
                raise ValueError(f"task '{self.name}' and {what} do not fit")

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return what is said of a model's outputs with what the user says instead.

        Raises:
            UsageError: the task has no such thing.
        """
        for name in answer.given:
            if name not in self.adjusts:
                raise UsageError(
                    f"--{name.replace('_', '-')}",
                    got=f"is given for a model of task '{self.name}'",
                    expected="a task that has it",
                    next_step="leave it out",
                )
        return said

    @abstractmethod
    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that do not fit the task.

        Raises:
            ValueError: with what was found and what was expected.
        """

    def check_image(  # noqa: B027
        self, said: Said, outputs: Sequence[TensorSpec], size: tuple[int, int]
    ) -> None:
        """Refuse outputs, which were checked, that do not fit the size of the model's image.

        Args:
            said: how they are to be read.
            outputs: their specs.
            size: (width, height) in pixels.

        Raises:
            ValueError: with what was found and what was expected.
        """

    @abstractmethod
    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns a model's outputs into predictions.

        Args:
            said: how they are to be read; it was checked.
            outputs: their specs, in the order in which the runtime gives them.
            preprocess: how frames became the input: the way back into the frame.
        """

    def schema(self, said: Said) -> int:
        """Return the oldest manifest schema that can say this of a model's outputs."""
        return self.first_schema

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a plain `.tflite` of this task is to be read; None for any other model.

        By default none is: the task's models come in bundles only. Where `shown.wanted` is true the
        user said that the model is of this task, and only what contradicts that counts.
        """
        return None

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return a plain model's labels, and what was done to make them fit, or None.

        Args:
            guess: how it is read.
            found: the labels of a file, or of the model; None where there are none.
            given: the user gave them.
            subject: the model, for errors.

        Raises:
            ModelError: they do not fit.
        """
        if found is None:
            names = tuple(f"class {index}" for index in range(guess.classes or 0))
            return names, "classes have numbers only: --labels FILE names them"
        if guess.classes is not None:
            return fit_labels(found, guess.classes, subject=subject)
        return named(found), None

    def rows(self, said: Said) -> Rows:
        """Return how the outputs are read, for people."""
        return [("activation", said.decoder.activation)]

    def repeatable(
        self,
        said: Said,
        outputs: Sequence[NDArray[np.generic]],
        tensors: Sequence[TensorSpec],
    ) -> list[NDArray[np.generic]]:
        """Return the outputs with what no run repeats blanked out, to be compared."""
        return list(outputs)


def is_vector(output: TensorSpec) -> bool:
    """Return whether an output has two numbers or more along its last axis, and no other axis."""
    shape = output.shape
    return len(shape) > 1 and shape[-1] > 1 and math.prod(shape) == shape[-1]


def is_one_number(output: TensorSpec) -> bool:
    """Return whether an output has one number, (1,) or (1, 1) for instance."""
    return bool(output.shape) and math.prod(output.shape) == 1


def check_vector(output: TensorSpec, count: int | None) -> None:
    """Refuse an output that is not a vector of `count` numbers; None takes any number of them.

    Raises:
        ValueError: it is not one.
    """
    shape = output.shape
    wanted = "(1, numbers)" if count is None else f"(1, {count})"
    numbers = math.prod(shape)
    if not shape or numbers != shape[-1] or (count is not None and numbers != count):
        raise ValueError(f"output shape is {shape}, expected {wanted}")
