"""Value: an output of one number, which has a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task, check_vector
from edgeinfer.device.tasks.value.prediction import Value


class ValueTask(Task):
    """A measured quantity."""

    name: ClassVar[str] = "value"
    first_schema: ClassVar[int] = 1
    parts: ClassVar[frozenset[str]] = frozenset({"value"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"unit"})
    smooths: ClassVar[bool] = True

    def check(self, said: Said) -> None:
        """Refuse labels, and a value without its unit."""
        if said.value is None or said.labels:
            raise ValueError("task 'value' needs a value's unit and no labels")
        super().check(said)

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another unit."""
        said = super().adjusted(said, answer)
        if answer.unit is None or said.value is None:
            return said
        return replace(said, value=replace(said.value, unit=answer.unit))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output of more than one number."""
        check_vector(outputs[0], 1)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the output into a quantity: output * scale + offset."""
        output, value = outputs[0], said.value
        assert value is not None

        def decode(tensors: Sequence[NDArray[np.generic]]) -> Value:
            real = float(output.dequantize(tensors[0]).reshape(-1)[0])
            return Value(value=real * value.scale + value.offset, unit=value.unit)

        return decode

    def rows(self, said: Said) -> Rows:
        """Return the unit as well."""
        assert said.value is not None
        return [("unit", said.value.unit), *super().rows(said)]

    def guess(self, shown: Shown) -> Guess | None:
        """Return how one number is to be read."""
        output = shown.outputs[0]
        if len(shown.outputs) != 1 or not output.shape or math.prod(output.shape) != 1:
            return None
        return Guess(task=self.name, value=ValueSpec(unit=""), reason="a value, by its one number")

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return none: a value has no classes."""
        return (), None


TASK = ValueTask()
