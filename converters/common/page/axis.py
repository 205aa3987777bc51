"""Axes of charts: where ticks are, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_MOST_TICKS = 6


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A range of values.

    Attributes:
        low: the lowest value shown.
        high: the highest; above `low`.
        title: what is on it, with its unit.
    """

    low: float
    high: float
    title: str

    def share(self, value: float) -> float:
        """Return where a value is: 0 at the low end, 1 at the high end, never outside."""
        if not math.isfinite(value):
            return 1.0 if value > 0 else 0.0
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """Return round values within the range.

        >>> Axis(low=0, high=0.83, title="").ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8]
        """
        step = _round_step((self.high - self.low) / _MOST_TICKS)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        # Rounding removes the noise of a product such as 3 * 0.1.
        digits = max(0, 2 - math.floor(math.log10(step)))
        return [round(number * step, digits) for number in range(first, last + 1)]


def axis_of(values: Iterable[float], title: str, *, zero: bool = False, room: float = 0.04) -> Axis:
    """Return an axis that shows all values.

    Args:
        values: those that are not finite are left out.
        title: what is on it.
        zero: whether it begins at 0.
        room: how much of the range is added at each end.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if zero:
        low = min(0.0, low)
    if high - low <= abs(high) * 1e-9:
        low, high = low - max(0.5, abs(low) * 0.01), high + max(0.5, abs(high) * 0.01)
    added = (high - low) * room
    return Axis(low=low if zero and low == 0.0 else low - added, high=high + added, title=title)


def number_text(value: float) -> str:
    """Return a number as on an axis: short, without noise.

    >>> number_text(0.30000000000000004), number_text(12000.0), number_text(-0.0)
    ('0.3', '12,000', '0')
    """
    if abs(value) < 1e-12:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))
