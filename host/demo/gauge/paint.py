"""What all parts of a gauge are painted with: colours, points on a circle, polygons.

Angles are in degrees, clockwise from straight up. Lengths are in radii of the scale, so 1.0 is the
circle on which the ticks end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels

Colour = tuple[int, int, int]
Point = tuple[float, float]

RADIUS = 112.0
"""One radius in pixels of the plate."""
PLATE = 320
"""Side of the plate, the square on which a gauge is painted before a camera looks at it."""
CENTRE = (PLATE - 1) / 2
_SUBPIXEL_BITS = 6
_SUBPIXEL = 1 << _SUBPIXEL_BITS


def luma(colour: Colour) -> float:
    """Return how bright a colour looks, 0 to 255 (Rec. 601)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def any_colour(
    random: np.random.Generator, darkest: float, brightest: float, saturation: float = 1.0
) -> Colour:
    """Return a random colour of a brightness (`luma`) from `darkest` to `brightest`."""
    wanted = random.uniform(darkest, brightest)
    pure = random.uniform(0.0, 255.0, 3)
    mixed = pure * saturation + 255.0 * (1 - saturation) * random.uniform(0.3, 1.0)
    factor = wanted / max(1.0, luma(tuple(mixed)))
    red, green, blue = (round(min(255.0, part * factor)) for part in mixed)
    return red, green, blue


def at(angle_deg: float, radius: float) -> Point:
    """Return the point of the plate, (x, y) in pixels, at an angle and a distance."""
    angle = math.radians(angle_deg)
    return (
        CENTRE + RADIUS * radius * math.sin(angle),
        CENTRE - RADIUS * radius * math.cos(angle),
    )


def turned(outline: Iterable[Point], angle_deg: float) -> list[Point]:
    """Turn (across, along) points in radii, `along` pointing up, to an angle; see `at`."""
    angle = math.radians(angle_deg)
    sine, cosine = math.sin(angle), math.cos(angle)
    return [
        (
            CENTRE + RADIUS * (across * cosine + along * sine),
            CENTRE + RADIUS * (across * sine - along * cosine),
        )
        for across, along in outline
    ]


def fixed(points: Iterable[Point]) -> NDArray[np.int32]:
    """Return points as OpenCV takes them with `shift`: (N, 2) in parts of a pixel."""
    return np.asarray(np.rint(np.array(list(points)) * _SUBPIXEL), dtype=np.int32)


def polygon(plate: Pixels, points: Iterable[Point], colour: Colour | int) -> None:
    """Fill a polygon, in place."""
    cv2.fillPoly(plate, [fixed(points)], _as_scalar(colour), cv2.LINE_AA, _SUBPIXEL_BITS)


def disc(plate: Pixels, radius: float, colour: Colour | int, centre: Point | None = None) -> None:
    """Fill a circle of a radius in radii about the plate's centre, or another point, in place."""
    middle = fixed([centre or (CENTRE, CENTRE)])[0]
    cv2.circle(
        plate,
        (int(middle[0]), int(middle[1])),
        max(1, round(RADIUS * radius * _SUBPIXEL)),
        _as_scalar(colour),
        cv2.FILLED,
        cv2.LINE_AA,
        _SUBPIXEL_BITS,
    )


def band(
    plate: Pixels, start_deg: float, end_deg: float, inner: float, outer: float, colour: Colour
) -> None:
    """Fill the part of a ring between two angles and two radii, in place."""
    steps = np.linspace(start_deg, end_deg, max(2, int(abs(end_deg - start_deg) / 3) + 1))
    outside = [at(float(angle), outer) for angle in steps]
    inside = [at(float(angle), inner) for angle in reversed(steps)]
    polygon(plate, outside + inside, colour)


def stroke(
    plate: Pixels, angle_deg: float, inner: float, outer: float, width: float, colour: Colour
) -> None:
    """Draw a straight line along a radius, `width` radii wide, in place."""
    half = width / 2
    corners = ((-half, inner), (half, inner), (half, outer), (-half, outer))
    polygon(plate, turned(corners, angle_deg), colour)


def _as_scalar(colour: Colour | int) -> tuple[int, ...]:
    return (colour,) if isinstance(colour, int) else colour
