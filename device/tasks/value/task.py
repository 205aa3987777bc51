"""Value: an output of one number, or several numbers with names; they have units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task, check_vector, is_one_number
from edgeinfer.device.tasks.value.guess import guess_values
from edgeinfer.device.tasks.value.prediction import Value, Values


class ValueTask(Task):
    """A measured quantity, or several: the labels are their names then."""

    name: ClassVar[str] = "value"
    first_schema: ClassVar[int] = 1
    parts: ClassVar[frozenset[str]] = frozenset({"value"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"unit"})
    measures: ClassVar[bool] = True
    smooths: ClassVar[bool] = True

    def schema(self, said: Said) -> int:
        """Return 3 for several values."""
        return 3 if said.labels else 1

    def check(self, said: Said) -> None:
        """Refuse one label alone, and a value without its unit."""
        if said.value is None or len(said.labels) == 1:
            raise ValueError(
                "task 'value' needs a value's unit, and a name for each value where there are "
                "several"
            )
        super().check(said)
        if len(set(said.labels)) != len(said.labels):
            raise ValueError("two values have the same name")
        units = said.value.units
        if units is not None and len(units) != max(1, len(said.labels)):
            raise ValueError(f"{len(units)} units for {max(1, len(said.labels))} values")

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another unit.

        Of several values "deg,%" states a unit for each; without a comma it is that of all.
        """
        said = super().adjusted(said, answer)
        if answer.unit is None or said.value is None:
            return said
        units = tuple(part.strip() for part in answer.unit.split(","))
        if not said.labels or len(units) == 1:
            return replace(said, value=replace(said.value, unit=answer.unit, units=None))
        if len(units) != len(said.labels):
            raise UsageError(
                "--unit",
                got=f"has {len(units)} units for {len(said.labels)} values",
                expected=f"one, or {len(said.labels)} with commas between them",
            )
        return replace(said, value=replace(said.value, unit="", units=units))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that have not one number a value."""
        count = max(1, len(said.labels))
        if count > 1 and len(outputs) >= count and all(map(is_one_number, outputs[:count])):
            return
        check_vector(outputs[0], count)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the outputs into quantities: output * scale + offset."""
        value, names = said.value, said.labels
        assert value is not None
        if not names:
            return lambda tensors: Value(
                value=float(_real(tensors, outputs, value)[0]), unit=value.unit
            )
        units = value.units or (value.unit,) * len(names)
        return lambda tensors: Values(
            names=names, values=_real(tensors, outputs, value)[: len(names)], units=units
        )

    def rows(self, said: Said) -> Rows:
        """Return the unit as well."""
        assert said.value is not None
        units = ", ".join(said.value.units or (said.value.unit,))
        return [("unit", units), *super().rows(said)]

    def guess(self, shown: Shown) -> Guess | None:
        """Return how one number, or several, are to be read."""
        return guess_values(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the names of several values; one value has none.

        Raises:
            ModelError: names are given that do not fit.
        """
        if guess.classes is None:
            if given:
                raise ModelError(
                    subject,
                    got="labels are given, and it measures one value",
                    expected="no labels",
                    next_step="leave --labels out, or say --task classification",
                )
            return (), None
        # A label file in the model that does not fit is one of classes.
        if found is None or (not given and len(found) != guess.classes):
            names = tuple(f"value {index}" for index in range(guess.classes))
            return names, "values have numbers only: --labels FILE names them"
        return super().fit_labels(guess, found, given=given, subject=subject)


def _real(
    tensors: Sequence[NDArray[np.generic]], outputs: Sequence[TensorSpec], value: ValueSpec
) -> NDArray[np.float64]:
    """Return the numbers of all outputs, one after the other."""
    numbers = [
        output.dequantize(tensor).reshape(-1)
        for output, tensor in zip(outputs, tensors, strict=False)
    ]
    real: NDArray[np.float64] = np.concatenate(numbers) * value.scale + value.offset
    return real


TASK = ValueTask()
