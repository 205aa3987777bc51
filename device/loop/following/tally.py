"""Counts objects that cross lines and stay in zones.

Where an object is, is the centre of its track. It changes sides only once it is a small way beyond
the edge, so that one that waits there is not counted over and over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.loop.following.places import Line, Places, Zone

MARGIN = 0.05
"""An object is beyond an edge by this share of its size, the root of its box's area."""
UNSEEN_S = 0.5
"""An object that was not seen for so long is not counted in a zone."""


@dataclass(frozen=True)
class Seen:
    """An object with a number, now.

    Attributes:
        number: its number.
        label: the number of its class.
        centre: (2,) x and y in pixels.
        size: the root of its box's area, in pixels.
        unseen_s: for how long it was not seen.
    """

    number: int
    label: int
    centre: NDArray[np.float64]
    size: float
    unseen_s: float


@dataclass(frozen=True)
class LineCount:
    """How many objects of each class crossed a line, by the number of the class."""

    went_in: dict[int, int]
    went_out: dict[int, int]


@dataclass(frozen=True)
class ZoneCount:
    """The objects of each class in a zone, by the number of the class.

    Attributes:
        now: how many are in it.
        entered: how many were in it so far.
        longest_s: how long the one that is in it longest is.
    """

    now: dict[int, int]
    entered: dict[int, int]
    longest_s: dict[int, float]


@dataclass(frozen=True)
class Tallies:
    """The counts of all lines and zones, by their names."""

    lines: dict[str, LineCount] = field(default_factory=dict)
    zones: dict[str, ZoneCount] = field(default_factory=dict)


class Tally:
    """Counts what happens at places, frame by frame.

    Args:
        places: the lines and zones.
    """

    def __init__(self, places: Places) -> None:
        self._lines = [_LineTally(line) for line in places.lines]
        self._zones = [_ZoneTally(zone) for zone in places.zones]

    def update(self, seen: Sequence[Seen], size: tuple[int, int], now_s: float) -> Tallies:
        """Return the counts with a frame's objects.

        Args:
            seen: all tracks with a number, also those that are not seen now.
            size: (width, height) of the frame in pixels.
            now_s: when it was taken.
        """
        return Tallies(
            {line.name: line.update(seen, size) for line in self._lines},
            {zone.name: zone.update(seen, size, now_s) for zone in self._zones},
        )


class _LineTally:
    def __init__(self, line: Line) -> None:
        self.name = line.name
        self._line = line
        self._last: dict[int, NDArray[np.float64]] = {}
        self._right: dict[int, bool] = {}
        self._in: Counter[int] = Counter()
        self._out: Counter[int] = Counter()

    def update(self, seen: Sequence[Seen], size: tuple[int, int]) -> LineCount:
        for one in seen:
            # Where a lost object may be is a guess; where it is found again tells the way it took.
            if one.unseen_s > 0:
                continue
            beyond = self._line.beyond(one.centre, size)
            if abs(beyond) < MARGIN * one.size:
                continue
            right, before = beyond > 0, self._right.get(one.number, beyond > 0)
            last = self._last.get(one.number, one.centre)
            if before != right and self._line.crossed(last, one.centre, size):
                (self._in if right else self._out)[one.label] += 1
            self._right[one.number], self._last[one.number] = right, one.centre
        there = {one.number for one in seen}
        for number in self._last.keys() - there:
            del self._last[number], self._right[number]
        return LineCount(dict(self._in), dict(self._out))


class _ZoneTally:
    def __init__(self, zone: Zone) -> None:
        self.name = zone.name
        self._zone = zone
        self._since_s: dict[int, float] = {}
        self._entered: Counter[int] = Counter()

    def update(self, seen: Sequence[Seen], size: tuple[int, int], now_s: float) -> ZoneCount:
        there = {one.number for one in seen}
        for number in self._since_s.keys() - there:
            del self._since_s[number]
        now: Counter[int] = Counter()
        longest_s: dict[int, float] = {}
        for one in seen:
            beyond = self._zone.beyond(one.centre, size)
            if one.unseen_s == 0 and abs(beyond) >= MARGIN * one.size:
                if beyond > 0 and one.number not in self._since_s:
                    self._since_s[one.number] = now_s
                    self._entered[one.label] += 1
                elif beyond < 0:
                    self._since_s.pop(one.number, None)
            if one.number in self._since_s and one.unseen_s <= UNSEEN_S:
                now[one.label] += 1
                stay_s = now_s - self._since_s[one.number]
                longest_s[one.label] = max(stay_s, longest_s.get(one.label, 0.0))
        return ZoneCount(dict(now), dict(self._entered), longest_s)
