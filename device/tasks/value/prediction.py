"""A measured quantity, or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Prediction, json_number
from edgeinfer.device.tasks.value.reading import Reading


@dataclass(frozen=True, kw_only=True)
class Value(Prediction):
    """The answer of a model that measures something, such as what a gauge shows.

    Examples:
        >>> reading = model.predict("gauge.jpg")
        >>> reading.value, reading.unit
        (3.42, 'bar')
        >>> reading.low, reading.high
        (3.31, 3.53)

    Attributes:
        value: the measured number, in `unit`.
        unit: the unit of the value, such as "bar"; empty where it is not known.
        half_width: half the width of the interval in which the true value probably is: on 90 % of
            pictures like those of the validation, or as the bundle says. None where it is not
            known.
        period: for a value on a circle, such as an angle, what one turn is. None for others.
        start: where a turn begins: 0, or -180 for angles from -180 to 180.
    """

    value: float
    unit: str
    half_width: float | None = None
    period: float | None = None
    start: float = 0.0

    @property
    def low(self) -> float | None:
        """The lower end of the interval, None where it is not known.

        On a circle it may be the larger number: 354 to 2 degrees.
        """
        interval = self._reading.interval
        return None if interval is None else interval[0]

    @property
    def high(self) -> float | None:
        """The upper end of the interval, None where it is not known."""
        interval = self._reading.interval
        return None if interval is None else interval[1]

    @property
    def headline(self) -> str:
        """The value with three digits, without its unit."""
        return f"{self.value:.3g}"

    def text(self, count: int = 1) -> str:
        """Return the value, its unit and its interval, such as "3.42 bar (3.31 to 3.53)".

        Without an interval it is "3.42 bar". `count` is not used.
        """
        return self._reading.text

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `value`, None if it is not finite, and `unit`.

        Where the interval is known it has `low` and `high`, too.
        """
        return {"value": json_number(self.value), "unit": self.unit, **_ends(self._reading)}

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer is of the same quantity: its unit and its circle."""
        return isinstance(before, Value) and (before.unit, before.period, before.start) == (
            self.unit,
            self.period,
            self.start,
        )

    def smoothed(self, before: Sequence[Value]) -> Value:
        """Return the median, which a single wrong reading does not move.

        Values on a circle are smoothed along it.
        """
        return replace(self, value=self._reading.smoothed([one.value for one in before]).value)

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the value."""
        canvas.lines([self.text()])

    def quantities(self) -> dict[str, float]:
        """Return the value."""
        return {"value": self.value}

    def cells(self) -> dict[str, object]:
        """Return the value, its unit and the ends of its interval."""
        return {"value": self.value, "unit": self.unit, **_ends(self._reading)}

    @property
    def _reading(self) -> Reading:
        return Reading(
            value=self.value,
            unit=self.unit,
            half_width=self.half_width,
            period=self.period,
            start=self.start,
        )


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
        half_widths: of each number half the width of its interval, see `Value`; None where it is
            not known. An empty tuple where none is known.
        periods: of each number what one turn is, see `Value`; None for a number that is not on a
            circle. An empty tuple where none is.
        starts: of each number where a turn begins. An empty tuple where none is on a circle.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    units: tuple[str, ...]
    half_widths: tuple[float | None, ...] = ()
    periods: tuple[float | None, ...] = ()
    starts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names, units and what else there is for each value if they do not fit."""
        counts = len(self.names), len(self.values), len(self.units)
        if len(set(counts)) != 1:
            raise ValueError(f"{counts} names, values and units, expected as many of each")
        for each in (self.half_widths, self.periods, self.starts):
            if each and len(each) != len(self.names):
                raise ValueError(f"{len(each)} numbers for {len(self.names)} values")

    def __getitem__(self, name: str) -> float:
        """Return the number of that name; KeyError if there is none."""
        return self.quantities()[name]

    @property
    def headline(self) -> str:
        """The names and the values with three digits, without units."""
        return ", ".join(f"{name} {value:.3g}" for name, value, _ in self._rows())

    def text(self, count: int = 0) -> str:
        """Return all values with names, units and intervals, such as "angle 12 deg, throttle 0.4".

        `count` is not used.
        """
        return ", ".join(self._lines())

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with each `name`, `value` and `unit` in `values`; `count` is not used.

        Where the interval is known there are `low` and `high`, too.
        """
        return {
            "values": [
                {"name": name, "value": json_number(one.value), "unit": one.unit, **_ends(one)}
                for name, one in self._readings()
            ]
        }

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same values."""
        return isinstance(before, Values) and (
            (before.names, before.units, before.periods, before.starts)
            == (self.names, self.units, self.periods, self.starts)
        )

    def smoothed(self, before: Sequence[Values]) -> Values:
        """Return the median of each value, which a single wrong reading does not move.

        Values on a circle are smoothed along it.
        """
        smoothed = [
            one.smoothed([float(earlier.values[place]) for earlier in before]).value
            for place, (_, one) in enumerate(self._readings())
        ]
        return replace(self, values=np.array(smoothed))

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write a line for each value."""
        canvas.lines(self._lines())

    def quantities(self) -> dict[str, float]:
        """Return each value by its name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def cells(self) -> dict[str, object]:
        """Return all values with their names as one cell, and all units as another.

        So there are the same columns for any number of values. The ends of the intervals that are
        known are two more cells.
        """
        cells: dict[str, object] = {
            "value": _named(self.quantities()),
            "unit": ";".join(self.units) if any(self.units) else "",
        }
        known = {name: one.interval for name, one in self._readings()}
        ends = {name: interval for name, interval in known.items() if interval is not None}
        if ends:
            cells["low"] = _named({name: low for name, (low, _) in ends.items()})
            cells["high"] = _named({name: high for name, (_, high) in ends.items()})
        return cells

    def _lines(self) -> list[str]:
        return [f"{name} {one.text}" for name, one in self._readings()]

    def _rows(self) -> list[tuple[str, float, str]]:
        return list(zip(self.names, self.values.tolist(), self.units, strict=True))

    def _readings(self) -> list[tuple[str, Reading]]:
        nothing = (None,) * len(self.names)
        return [
            (name, Reading(value=value, unit=unit, half_width=width, period=period, start=start))
            for (name, value, unit), width, period, start in zip(
                self._rows(),
                self.half_widths or nothing,
                self.periods or nothing,
                self.starts or (0.0,) * len(self.names),
                strict=True,
            )
        ]


def _ends(reading: Reading) -> dict[str, float]:
    """Return the ends of an interval for JSON and tables; nothing where it is not known."""
    interval = reading.interval
    return {} if interval is None else {"low": interval[0], "high": interval[1]}


def _named(values: dict[str, float]) -> str:
    return ";".join(f"{name}={value:.9g}" for name, value in values.items())
