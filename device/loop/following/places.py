"""Lines and zones of a picture, as a user names them: `door:0.1,0.5,0.9,0.5`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.prediction import Canvas

MOST_PLACES = 32
MOST_CORNERS = 64

_NAME = re.compile(r"[^\W\d][\w-]{0,31}")

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Line:
    """A line that objects cross.

    Attributes:
        name: what the user calls it.
        points: two points, in shares of the picture's width and height from its upper left corner.
            Objects go in that cross to the right, as seen from the first point to the second.
    """

    name: str
    points: Points

    def beyond(self, point: NDArray[np.float64], size: tuple[int, int]) -> float:
        """Return how far a point is to the right of the line, in pixels; below 0 to the left."""
        start, end = np.array(self.points) * size
        along, away = end - start, point - start
        across = along[0] * away[1] - along[1] * away[0]
        return float(across / max(math.hypot(*along), 1e-9))

    def crossed(
        self, before: NDArray[np.float64], now: NDArray[np.float64], size: tuple[int, int]
    ) -> bool:
        """Return whether the way between two points, on either side, meets the line itself."""
        start, end = np.array(self.points) * size
        way = now - before
        sides = [way[0] * (one - before)[1] - way[1] * (one - before)[0] for one in (start, end)]
        return bool(sides[0] * sides[1] <= 0)


@dataclass(frozen=True)
class Zone:
    """A part of the picture that objects are in.

    Attributes:
        name: what the user calls it.
        points: its corners, three or more, in shares of the picture's width and height.
    """

    name: str
    points: Points

    def beyond(self, point: NDArray[np.float64], size: tuple[int, int]) -> float:
        """Return how far a point is inside, in pixels; below 0 outside."""
        corners = (np.array(self.points) * size).astype(np.float32)
        x, y = point.tolist()
        return float(cv2.pointPolygonTest(corners, (x, y), True))


@dataclass(frozen=True)
class Places:
    """The lines and zones of a camera."""

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()

    @property
    def all(self) -> tuple[Line | Zone, ...]:
        """The lines, then the zones."""
        return (*self.lines, *self.zones)

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(place.name for place in self.all)


def draw_places(
    canvas: Canvas,
    size: tuple[int, int],
    places: Places,
    texts: Sequence[str],
    *,
    first_colour: int = 0,
    dots: bool = False,
) -> None:
    """Draw lines and zones, each with a text.

    Args:
        canvas: what is drawn on.
        size: (width, height) of the picture that it shows.
        places: the lines and zones.
        texts: a text for each, in the order of `Places.all`.
        first_colour: the number of the colour of the first place.
        dots: draw a dot at each point, too.
    """
    for number, (place, text) in enumerate(zip(places.all, texts, strict=True), first_colour):
        corners = np.array(place.points, np.float64) * size
        points = [(round(x), round(y)) for x, y in canvas.places(corners, size).tolist()]
        ends = points[1:] if isinstance(place, Line) else [*points[1:], points[0]]
        colour = canvas.colour(number)
        canvas.figure(list(zip(points, ends, strict=False)), points if dots else [], colour)
        canvas.tag(text, min(x for x, _ in points), min(y for _, y in points), colour)


def make_places(lines: Mapping[str, Points], zones: Mapping[str, Points]) -> Places:
    """Return lines and zones that can be counted at.

    Args:
        lines: two points each, by name.
        zones: three corners or more each, by name.

    Raises:
        UsageError: one has too few points, points outside of the picture, no length or no area; two
            have the same name, or there are too many.
    """
    places = Places(
        tuple(Line(name, _points("--line", name, points, 2, 2)) for name, points in lines.items()),
        tuple(
            Zone(name, _points("--zone", name, points, 3, MOST_CORNERS))
            for name, points in zones.items()
        ),
    )
    if len(places.all) > MOST_PLACES:
        raise UsageError(
            "--line and --zone", got=f"{len(places.all)} places", expected=f"at most {MOST_PLACES}"
        )
    for name in lines.keys() & zones.keys():
        raise _same_name(name)
    for line in places.lines:
        if line.points[0] == line.points[1]:
            raise UsageError(f"--line {line.name}", got="begins and ends at the same point")
    for zone in places.zones:
        if cv2.contourArea(np.array(zone.points, np.float32)) <= 0:
            raise UsageError(f"--zone {zone.name}", got="has no area")
    return places


def parse_places(option: str, texts: Sequence[str]) -> dict[str, Points]:
    """Read `--line` or `--zone`: a name, and x and y of each point.

    Args:
        option: the name of the option, for errors.
        texts: such as `door:0.1,0.5,0.9,0.5`.

    Raises:
        UsageError: one cannot be read, or two have the same name.

    >>> parse_places("--line", ["door:0,0.5,1,0.5"])
    {'door': ((0.0, 0.5), (1.0, 0.5))}
    """
    places: dict[str, Points] = {}
    for text in texts:
        name, colon, numbers = text.partition(":")
        try:
            values = [float(part) for part in numbers.split(",")]
        except ValueError:
            values = []
        if not colon or not values or len(values) % 2:
            raise UsageError(
                f"{option} {text if len(text) <= 60 else text[:57] + '...'}",
                got="is not a name with points",
                expected="a name, a colon, and x and y of each point with commas between them, "
                "such as door:0.1,0.5,0.9,0.5",
            )
        if name in places:
            raise _same_name(name)
        places[name] = tuple(zip(values[::2], values[1::2], strict=True))
    return places


def _same_name(name: str) -> UsageError:
    return UsageError(
        "--line and --zone", got=f"two are called '{name}'", expected="a name for each"
    )


def _points(option: str, name: str, points: Points, least: int, most: int) -> Points:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{option} {name[:60]!r}",
            got="is not a name",
            expected="a word of letters, digits, _ and -, such as door",
        )
    if not least <= len(points) <= most:
        count = str(most) if least == most else f"{least} to {most}"
        raise UsageError(
            f"{option} {name}",
            got=f"has {len(points)} point{'s' * (len(points) != 1)}",
            expected=f"{count} points",
        )
    if not all(0 <= share <= 1 for point in points for share in point):
        raise UsageError(
            f"{option} {name}",
            got="has a point outside of the picture",
            expected="shares of its width and height, from 0 to 1",
        )
    return tuple((float(x), float(y)) for x, y in points)
