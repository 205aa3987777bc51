"""One measured number: its text, its interval, and several of them smoothed; also on a circle."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

_MOST_DECIMALS = 12


def turned(value: float, start: float, period: float) -> float:
    """Return a value moved by whole periods to the turn that begins at `start`.

    >>> turned(370.0, 0.0, 360.0), turned(190.0, -180.0, 360.0)
    (10.0, -170.0)
    """
    moved = start + (value - start) % period
    # A tiny negative number plus a period is the period itself, by rounding.
    return start if moved >= start + period else moved


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A measured number.

    Attributes:
        value: the number, in `unit`.
        unit: such as "bar"; empty where it is not known.
        half_width: how far the true value may be away; None where that is not known.
        period: what one turn is, for a value on a circle; None for one on a line.
        start: where a turn begins; only with a period.
    """

    value: float
    unit: str
    half_width: float | None = None
    period: float | None = None
    start: float = 0.0

    @property
    def interval(self) -> tuple[float, float] | None:
        """The lower and the upper end of the interval, or None.

        On a circle the upper end may be the smaller number: 354 to 2 degrees. An interval that is
        a whole turn or longer is the turn.
        """
        if self.half_width is None or not math.isfinite(self.value):
            return None
        low, high = self.value - self.half_width, self.value + self.half_width
        if self.period is None:
            return low, high
        if high - low >= self.period:
            return self.start, self.start + self.period
        return turned(low, self.start, self.period), turned(high, self.start, self.period)

    @property
    def text(self) -> str:
        """The value, its unit and its interval, such as "3.42 bar (3.31 to 3.53)".

        With an interval the numbers have two of the digits that the interval leaves open.
        """
        interval = self.interval
        if interval is None:
            return f"{self.value:g} {self.unit}".rstrip()
        value, low, high = (self._rounded(number) for number in (self.value, *interval))
        return f"{f'{value} {self.unit}'.rstrip()} ({low} to {high})"

    def smoothed(self, before: Sequence[float]) -> Reading:
        """Return the median of the finite values, this and the earlier ones; as it is
        where none is finite.

        On a circle distances are measured along it: that of 359 and 3 degrees is 1.
        """
        finite = [value for value in (*before, self.value) if math.isfinite(value)]
        if not finite:
            return self
        if self.period is None:
            return replace(self, value=statistics.median(finite))
        return replace(self, value=_circular_median(finite, self.start, self.period))

    def _rounded(self, value: float) -> str:
        decimals = _MOST_DECIMALS
        if self.half_width:
            decimals = 1 - math.floor(math.log10(self.half_width))
        if decimals > _MOST_DECIMALS or not self.half_width:
            return f"{value:g}"
        text = f"{value:.{max(0, decimals)}f}"
        # Rounding may leave a minus sign before zeros.
        return text.removeprefix("-") if float(text) == 0 else text


def _circular_median(values: Sequence[float], start: float, period: float) -> float:
    """Return the median of values around the circle, counted from their mean direction."""
    angles = np.array(values) * (2 * math.pi / period)
    sine, cosine = np.sin(angles).mean(), np.cos(angles).mean()
    centre = values[-1]
    if math.hypot(sine, cosine) > 1e-9:  # directions that cancel each other have no mean
        centre = math.atan2(sine, cosine) * period / (2 * math.pi)
    away = [(value - centre + period / 2) % period - period / 2 for value in values]
    return turned(centre + statistics.median(away), start, period)
