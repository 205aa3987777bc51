"""A measured quantity."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeinfer.device.tasks.prediction import Canvas, Prediction


@dataclass(frozen=True, kw_only=True)
class Value(Prediction):
    """The answer of a model that measures something, such as what a gauge shows.

    Examples:
        >>> reading = model.predict("gauge.jpg")
        >>> reading.value, reading.unit
        (3.42, 'bar')

    Attributes:
        value: the measured number, in `unit`.
        unit: the unit of the value, such as "bar".
    """

    value: float
    unit: str

    @property
    def headline(self) -> str:
        """The value with three digits, without its unit."""
        return f"{self.value:.3g}"

    def text(self, count: int = 1) -> str:
        """Return the value and its unit, such as "3.42 bar"; `count` is not used."""
        return f"{self.value:g} {self.unit}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `value` and `unit`; `count` is not used."""
        return {"value": self.value, "unit": self.unit}

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same unit."""
        return isinstance(before, Value) and before.unit == self.unit

    def smoothed(self, before: Sequence[Value]) -> Value:
        """Return the median, which a single wrong reading does not move."""
        return replace(self, value=statistics.median(one.value for one in (*before, self)))

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the value."""
        canvas.lines([self.text()])

    def quantities(self) -> dict[str, float]:
        """Return the value."""
        return {"value": self.value}

    def cells(self) -> dict[str, object]:
        """Return the value and its unit."""
        return {"value": self.value, "unit": self.unit}
