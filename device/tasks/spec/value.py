"""What a bundle's manifest says of measured quantities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_MOST = 1e30

_LATER = ("scales", "offsets", "periods", "ranges", "half_widths", "coverage")
"""Keys that the first versions of the manifest did not have."""


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How one value is read from its outputs.

    Attributes:
        unit: its unit, such as "bar".
        scale: of the output; of a circular value not used.
        offset: added to it; of a circular value the lowest that is shown.
        period: None for a quantity on a line. Of one on a circle, such as an angle of 360 degrees,
            what one turn is; it has two outputs, its sine and its cosine.
        range: how far the values of the training pictures are apart, in the unit; None where that
            is not known.
        half_width: how far the true value may be from the one shown, in the unit; None where that
            is not known.
    """

    unit: str
    scale: float = 1.0
    offset: float = 0.0
    period: float | None = None
    range: float | None = None
    half_width: float | None = None

    @property
    def outputs(self) -> int:
        """The number of outputs that it takes."""
        return 1 if self.period is None else 2


@dataclass(frozen=True, kw_only=True)
class ValueSpec:
    """What a model of task `value` measures: value = output * scale + offset, in `unit`.

    Of the keys with one number for each value, the numbers are in the order of the values' names.

    Attributes:
        unit: of every value.
        scale: of every output.
        offset: of every output.
        units: one for each of several values, where they differ; None where `unit` is all.
        scales: one for each value; None where `scale` is all.
        offsets: one for each value; None where `offset` is all.
        periods: one for each value, 0 for a value that is not circular; None where none is. A
            circular value, such as an angle, has two outputs, s and c; it is
            offset + period * atan2(s, c) / (2 * pi), moved by whole periods to the turn that begins
            at its offset.
        ranges: how far the values of the training pictures are apart, in units; of a circular value
            the period. Errors in percent of the range are of this.
        half_widths: how far, in units, the true value is from the predicted one at most, on
            `coverage` of all pictures like those that it was measured on.
        coverage: above 0 and below 1; only together with `half_widths`.
    """

    unit: str
    scale: float = 1.0
    offset: float = 0.0
    units: tuple[str, ...] | None = None
    scales: tuple[float, ...] | None = None
    offsets: tuple[float, ...] | None = None
    periods: tuple[float, ...] | None = None
    ranges: tuple[float, ...] | None = None
    half_widths: tuple[float, ...] | None = None
    coverage: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that are too large for any quantity, or impossible."""
        if not (abs(self.scale) <= _MOST and abs(self.offset) <= _MOST):
            raise ValueError(
                f"scale and offset are {self.scale:g} and {self.offset:g}, expected {_MOST:g} or "
                "less, with either sign"
            )
        for name in ("scales", "offsets"):
            _require(name, getattr(self, name), least=-_MOST)
        for name in ("periods", "ranges", "half_widths"):
            _require(name, getattr(self, name), least=0.0)
        if (self.half_widths is None) != (self.coverage is None):
            raise ValueError("one of half_widths and coverage is there, expected both or none")
        if self.coverage is not None and not 0 < self.coverage < 1:
            raise ValueError(f"coverage is {self.coverage:g}, expected above 0 and below 1")

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers each key has that has one for each value."""
        lists = ((name, getattr(self, name)) for name in ("units", *_LATER[:-1]))
        return {name: len(numbers) for name, numbers in lists if numbers is not None}

    @property
    def later(self) -> bool:
        """Whether it has keys that the first versions of the manifest did not have."""
        return any(getattr(self, name) is not None for name in _LATER)

    def scalings(self, count: int) -> tuple[Scaling, ...]:
        """Return how each of `count` values is read."""

        def one(numbers: tuple[float, ...] | None, place: int) -> float | None:
            return None if numbers is None else numbers[place]

        return tuple(
            Scaling(
                unit=self.unit if self.units is None else self.units[place],
                scale=self.scale if self.scales is None else self.scales[place],
                offset=self.offset if self.offsets is None else self.offsets[place],
                period=one(self.periods, place) or None,
                range=one(self.ranges, place),
                half_width=one(self.half_widths, place),
            )
            for place in range(count)
        )


def _require(name: str, numbers: Iterable[float] | None, *, least: float) -> None:
    for number in numbers or ():
        if not least <= number <= _MOST:
            raise ValueError(f"{name} has {number:g}, expected {least:g} to {_MOST:g}")
