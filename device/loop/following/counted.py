"""What is counted at lines and in zones, for people, programs, conditions and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeinfer.device.loop.following.places import Places, draw_places
from edgeinfer.device.loop.following.tally import LineCount, Tallies, ZoneCount
from edgeinfer.device.tasks.prediction import Canvas, class_name


@dataclass(frozen=True)
class Counted:
    """The counts of a frame and those before it.

    Attributes:
        labels: the names of the classes.
        places: the lines and zones.
        tallies: what was counted there so far.
    """

    labels: tuple[str, ...]
    places: Places
    tallies: Tallies

    def to_json(self) -> dict[str, object]:
        """Return `lines` and `zones`, by name, and in each the classes that were there."""
        return {
            "lines": {
                name: {
                    label: {"in": line.went_in.get(index, 0), "out": line.went_out.get(index, 0)}
                    for index, label in self._there(line.went_in, line.went_out)
                }
                for name, line in self.tallies.lines.items()
            },
            "zones": {
                name: {
                    label: {
                        "now": zone.now.get(index, 0),
                        "entered": zone.entered.get(index, 0),
                        "longest_s": round(zone.longest_s.get(index, 0.0), 3),
                    }
                    for index, label in self._there(zone.now, zone.entered)
                }
                for name, zone in self.tallies.zones.items()
            },
        }

    def quantities(self) -> dict[str, float]:
        """Return the counts by the names that conditions have for them.

        Such as `count(person, desk)` for those in a zone and for those that crossed a line,
        `in(person, door)` and `out(person, door)` for one direction, and `stay(person, desk)` for
        the seconds that the one that is longest in a zone is there.
        """
        found: dict[str, float] = {}
        for name, line in self.tallies.lines.items():
            for index, label in self._there(line.went_in, line.went_out):
                went_in, went_out = line.went_in.get(index, 0), line.went_out.get(index, 0)
                found |= {
                    f"count({label}, {name})": went_in + went_out,
                    f"in({label}, {name})": went_in,
                    f"out({label}, {name})": went_out,
                }
        for name, zone in self.tallies.zones.items():
            for index, label in self._there(zone.now):
                found |= {
                    f"count({label}, {name})": zone.now.get(index, 0),
                    f"stay({label}, {name})": zone.longest_s.get(index, 0.0),
                }
        return found

    def texts(self) -> list[str]:
        """Return what is counted at each place, in the order of lines and zones."""
        lines, zones = self.tallies.lines, self.tallies.zones
        return [
            *(f"{one.name}: {self._line(lines[one.name])}" for one in self.places.lines),
            *(f"{one.name}: {self._zone(zones[one.name])}" for one in self.places.zones),
        ]

    def draw(self, canvas: Canvas, size: tuple[int, int]) -> None:
        """Draw the lines and zones with their counts; `size` is that of the picture."""
        draw_places(canvas, size, self.places, self.texts(), first_colour=len(self.labels))

    def _there(self, *counts: Mapping[int, float]) -> list[tuple[int, str]]:
        """Return the numbers and names of the classes that counts have."""
        there: Sequence[int] = sorted({index for one in counts for index in one})
        return [(index, class_name(self.labels, index)) for index in there]

    def _line(self, line: LineCount) -> str:
        parts = [
            f"{line.went_in.get(index, 0)} {label} in, {line.went_out.get(index, 0)} out"
            for index, label in self._there(line.went_in, line.went_out)
        ]
        return ", ".join(parts) or "none crossed"

    def _zone(self, zone: ZoneCount) -> str:
        parts = [
            f"{zone.now[index]} {label} for {zone.longest_s.get(index, 0.0):.0f} s"
            for index, label in self._there(zone.now)
        ]
        return ", ".join(parts) or "empty"
