"""Value: an output of one number, or several numbers with names; they have units."""

from __future__ import annotations

import math
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
from edgeinfer.device.tasks.spec.value import Scaling
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
        """Return 3 for several values, and 4 for values with an interval or a scale each."""
        if said.value is not None and said.value.later:
            return 4
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
        for name, count in said.value.counts.items():
            if count != values_in(said):
                what = name.replace("_", " ")
                raise ValueError(f"{count} {what} for {values_in(said)} values")

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
        """Refuse outputs that have not one number a value, and two for one on a circle."""
        count = sum(one.outputs for one in scalings(said))
        if count > 1 and len(outputs) >= count and all(map(is_one_number, outputs[:count])):
            return
        check_vector(outputs[0], count)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns the outputs into quantities; `ValueSpec` says how."""
        names, each = said.labels, scalings(said)
        count = sum(one.outputs for one in each)
        widths = tuple(one.half_width for one in each)
        periods = tuple(one.period for one in each)
        starts = tuple(one.offset if one.period else 0.0 for one in each)
        units = tuple(one.unit for one in each)
        if not names:
            return lambda tensors: Value(
                value=float(real_values(_numbers(tensors, outputs)[:count], each)[0]),
                unit=units[0],
                half_width=widths[0],
                period=periods[0],
                start=starts[0],
            )
        return lambda tensors: Values(
            names=names,
            values=real_values(_numbers(tensors, outputs)[:count], each),
            units=units,
            half_widths=widths if any(width is not None for width in widths) else (),
            periods=periods if any(periods) else (),
            starts=starts if any(periods) else (),
        )

    def rows(self, said: Said) -> Rows:
        """Return the unit as well."""
        assert said.value is not None
        units = ", ".join(said.value.units or (said.value.unit,))
        rows = [("unit", units), *super().rows(said)]
        if any(one.period for one in scalings(said)):
            turns = ", ".join(f"{one.period:g}" if one.period else "-" for one in scalings(said))
            rows.append(("period", turns))
        if said.value.half_widths is not None and said.value.coverage is not None:
            widths = ", ".join(f"{width:.3g}" for width in said.value.half_widths)
            rows.append(
                ("interval", f"value ± {widths}, for {said.value.coverage:.0%} of pictures")
            )
        return rows

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


def values_in(said: Said) -> int:
    """Return how many values a model measures."""
    return max(1, len(said.labels))


def scalings(said: Said) -> tuple[Scaling, ...]:
    """Return how each value is read."""
    assert said.value is not None
    return said.value.scalings(values_in(said))


def real_values(numbers: NDArray[np.float64], scalings: Sequence[Scaling]) -> NDArray[np.float64]:
    """Return the values that a model's numbers stand for.

    Args:
        numbers: (..., numbers) as the network gives them.
        scalings: how each value is read.

    Returns:
        (..., values) in their units.
    """
    values, place = [], 0
    for one in scalings:
        if one.period is None:
            values.append(numbers[..., place] * one.scale + one.offset)
        else:
            angles = np.arctan2(numbers[..., place], numbers[..., place + 1])
            turns = angles / (2 * math.pi) % 1.0
            # The remainder of a tiny negative number is 1 by rounding.
            values.append(np.where(turns >= 1.0, 0.0, turns) * one.period + one.offset)
        place += one.outputs
    return np.stack(values, axis=-1)


def _numbers(
    tensors: Sequence[NDArray[np.generic]], outputs: Sequence[TensorSpec]
) -> NDArray[np.float64]:
    """Return the numbers of all outputs, one after the other."""
    numbers = [
        output.dequantize(tensor).reshape(-1)
        for output, tensor in zip(outputs, tensors, strict=False)
    ]
    real: NDArray[np.float64] = np.concatenate(numbers).astype(np.float64)
    return real


TASK = ValueTask()
