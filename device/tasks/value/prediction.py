"""A measured quantity, or several."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Prediction, json_number


@dataclass(frozen=True, kw_only=True)
class Value(Prediction):
    """The answer of a model that measures something, such as what a gauge shows.

    Examples:
        >>> reading = model.predict("gauge.jpg")
        >>> reading.value, reading.unit
        (3.42, 'bar')

    Attributes:
        value: the measured number, in `unit`.
        unit: the unit of the value, such as "bar"; empty where it is not known.
    """

    value: float
    unit: str

    @property
    def headline(self) -> str:
        """The value with three digits, without its unit."""
        return f"{self.value:.3g}"

    def text(self, count: int = 1) -> str:
        """Return the value and its unit, such as "3.42 bar"; `count` is not used."""
        return _with_unit(self.value, self.unit)

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `value`, None if it is not finite, and `unit`."""
        return {"value": json_number(self.value), "unit": self.unit}

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same unit."""
        return isinstance(before, Value) and before.unit == self.unit

    def smoothed(self, before: Sequence[Value]) -> Value:
        """Return the median, which a single wrong reading does not move."""
        return replace(self, value=_median([one.value for one in (*before, self)]))

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the value."""
        canvas.lines([self.text()])

    def quantities(self) -> dict[str, float]:
        """Return the value."""
        return {"value": self.value}

    def cells(self) -> dict[str, object]:
        """Return the value and its unit."""
        return {"value": self.value, "unit": self.unit}


@dataclass(frozen=True, kw_only=True)
class Values(Prediction):
    """The answer of a model that measures several things, such as steering angle and throttle.

    Examples:
        >>> answer = model.predict("road.jpg")
        >>> answer["angle"]
        -0.12
        >>> dict(zip(answer.names, answer.values.tolist()))
        {'angle': -0.12, 'throttle': 0.4}

    Attributes:
        names: what each number is, in the order of the model's outputs.
        values: (values,) float64, the measured numbers.
        units: the unit of each number, such as "deg"; empty where it is not known.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    units: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse names and units that do not fit the values."""
        counts = len(self.names), len(self.values), len(self.units)
        if len(set(counts)) != 1:
            raise ValueError(f"{counts} names, values and units, expected as many of each")

    def __getitem__(self, name: str) -> float:
        """Return the number of that name; KeyError if there is none."""
        return self.quantities()[name]

    @property
    def headline(self) -> str:
        """The names and the values with three digits, without units."""
        return ", ".join(f"{name} {value:.3g}" for name, value, _ in self._rows())

    def text(self, count: int = 0) -> str:
        """Return all values with names and units, such as "angle 12 deg, throttle 0.4"."""
        return ", ".join(f"{name} {_with_unit(value, unit)}" for name, value, unit in self._rows())

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with each `name`, `value` and `unit` in `values`; `count` is not used."""
        return {
            "values": [
                {"name": name, "value": json_number(value), "unit": unit}
                for name, value, unit in self._rows()
            ]
        }

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same values."""
        return isinstance(before, Values) and (before.names, before.units) == (
            self.names,
            self.units,
        )

    def smoothed(self, before: Sequence[Values]) -> Values:
        """Return the median of each value, which a single wrong reading does not move."""
        columns = np.array([one.values for one in (*before, self)]).T
        return replace(self, values=np.array([_median(column.tolist()) for column in columns]))

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write a line for each value."""
        canvas.lines([f"{name} {_with_unit(value, unit)}" for name, value, unit in self._rows()])

    def quantities(self) -> dict[str, float]:
        """Return each value by its name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def cells(self) -> dict[str, object]:
        """Return all values with their names as one cell, and all units as another: there are the
        same columns for any number of values."""
        pairs = zip(self.names, self.values.tolist(), strict=True)
        return {
            "value": ";".join(f"{name}={value:.9g}" for name, value in pairs),
            "unit": ";".join(self.units) if any(self.units) else "",
        }

    def _rows(self) -> list[tuple[str, float, str]]:
        return list(zip(self.names, self.values.tolist(), self.units, strict=True))


def _with_unit(value: float, unit: str) -> str:
    return f"{value:g} {unit}".rstrip()


def _median(values: Sequence[float]) -> float:
    """Return the median of the finite ones; the last where none is."""
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else values[-1]
