"""The dial: its casing, face, scale, ticks, numerals and coloured zones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.gauge.paint import (
    CENTRE,
    PLATE,
    RADIUS,
    Colour,
    any_colour,
    at,
    band,
    disc,
    luma,
    polygon,
    stroke,
)

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
)
_WORDS = ("bar", "psi", "kPa", "C", "F", "%", "V", "A", "rpm", "mbar", "kg", "m3/h", "l/min")
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A coloured part of the scale; shares of the scale, 0 to 1, and a colour."""

    start: float
    end: float
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class Dial:
    """A dial, as numbers. Lengths are in radii of the scale, angles as in `paint`.

    Attributes:
        start_deg: the angle of the scale's start.
        sweep_deg: from there to the scale's end, clockwise.
        face: the face's colour.
        ink: the colour of the scale.
        face_radius: where the face ends.
        square: the casing is square with corners of this radius; None for a round one.
        rim: width of the casing's rim.
        rim_colour: its colour.
        majors: how many parts the long ticks make.
        minors: how many parts the short ticks make of each of these.
        major_length: of the long ticks.
        minor_length: of the short ones, 0 for none.
        tick_width: of the long ticks; the short ones are two thirds of it.
        line: width of the line along the scale, 0 for none.
        line_inside: that line is at the inner end of the ticks.
        zones: coloured parts of the scale.
        zone_width: how wide these are.
        numerals: the numbers at the long ticks, empty for none.
        numeral_radius: where they are.
        numeral_size: their height.
        font: OpenCV's number of the font.
        words: (text, radius below the centre, height) of further text.
    """

    start_deg: float
    sweep_deg: float
    face: Colour
    ink: Colour
    face_radius: float
    square: float | None
    rim: float
    rim_colour: Colour
    majors: int
    minors: int
    major_length: float
    minor_length: float
    tick_width: float
    line: float
    line_inside: bool
    zones: tuple[Zone, ...]
    zone_width: float
    numerals: tuple[str, ...]
    numeral_radius: float
    numeral_size: float
    font: int
    words: tuple[tuple[str, float, float], ...]

    def angle_deg(self, percent: float) -> float:
        """Return the angle at which a needle shows `percent` of the scale."""
        return self.start_deg + self.sweep_deg * percent / 100

    @property
    def outer_radius(self) -> float:
        """Where the casing ends."""
        return self.face_radius + self.rim


def draw_a_dial(random: np.random.Generator) -> Dial:
    """Choose a dial at random."""
    sweep = random.uniform(180.0, 300.0)
    face, ink = _face_and_ink(random)
    majors = int(random.integers(4, 13))
    minors = int(random.choice((1, 2, 4, 5, 10)))
    outer = random.random() < 0.2  # numerals outside the ticks
    major_length = random.uniform(0.08, 0.2)
    numeral_size = random.uniform(0.09, 0.17)
    inside = 1 - major_length - 0.6 * numeral_size - random.uniform(0.03, 0.1)
    has_numerals = random.random() < 0.8
    outside_face = 1.12 + 1.3 * numeral_size if outer and has_numerals else 1.03
    return Dial(
        start_deg=random.uniform(-12.0, 12.0) - sweep / 2,
        sweep_deg=sweep,
        face=face,
        ink=ink,
        face_radius=outside_face + random.uniform(0.0, 0.12),
        square=random.uniform(0.02, 0.3) if random.random() < 0.2 else None,
        rim=random.uniform(0.02, 0.14),
        rim_colour=any_colour(random, 10, 235, 0.4),
        majors=majors,
        minors=minors if majors * minors <= 60 else 5,
        major_length=major_length,
        minor_length=0.0 if minors == 1 else major_length * random.uniform(0.4, 0.8),
        tick_width=random.uniform(0.014, 0.045),
        line=random.uniform(0.01, 0.03) if random.random() < 0.5 else 0.0,
        line_inside=random.random() < 0.3,
        zones=_zones(random),
        zone_width=random.uniform(0.03, 0.12),
        numerals=_numerals(random, majors) if has_numerals else (),
        numeral_radius=1.05 + 0.7 * numeral_size if outer else inside,
        numeral_size=numeral_size,
        font=int(random.choice(_FONTS)),
        words=_words(random),
    )


def paint_dial(dial: Dial) -> tuple[Pixels, Pixels]:
    """Paint a dial without its needle.

    Returns:
        (PLATE, PLATE, 3) uint8 RGB; and (PLATE, PLATE) uint8, 255 where the casing covers.
    """
    plate = np.zeros((PLATE, PLATE, 3), np.uint8)
    cover = np.zeros((PLATE, PLATE), np.uint8)
    _casing(plate, dial, dial.rim_colour)
    _casing(cover, dial, 255)
    disc(plate, dial.face_radius, dial.face)
    for zone in dial.zones:
        ends = (dial.angle_deg(100 * zone.start), dial.angle_deg(100 * zone.end))
        band(plate, *ends, 1 - dial.zone_width, 1.0, zone.colour)
    _ticks(plate, dial)
    last = len(dial.numerals) - 1
    for index, numeral in enumerate(dial.numerals):
        place = at(dial.angle_deg(100 * index / last), dial.numeral_radius)
        _text(plate, numeral, place, dial.numeral_size, dial)
    for word, below, size in dial.words:
        _text(plate, word, (CENTRE, CENTRE + RADIUS * below), size, dial)
    return plate, cover


def _casing(plate: Pixels, dial: Dial, colour: Colour | int) -> None:
    if dial.square is None:
        disc(plate, dial.outer_radius, colour)
        return
    side, round_by = dial.outer_radius * RADIUS, dial.square * RADIUS
    far, near = CENTRE + side, CENTRE - side
    for across, along in ((0.0, round_by), (round_by, 0.0)):
        low, high = (near + across, near + along), (far - across, far - along)
        polygon(plate, (low, (high[0], low[1]), high, (low[0], high[1])), colour)
    for x in (near + round_by, far - round_by):
        for y in (near + round_by, far - round_by):
            disc(plate, dial.square, colour, (x, y))


def _ticks(plate: Pixels, dial: Dial) -> None:
    if dial.line:
        radius = 1 - dial.major_length if dial.line_inside else 1.0
        ends = (dial.angle_deg(0), dial.angle_deg(100))
        band(plate, *ends, radius - dial.line / 2, radius + dial.line / 2, dial.ink)
    parts = dial.majors * dial.minors
    for index in range(parts + 1):
        major = index % dial.minors == 0
        length = dial.major_length if major else dial.minor_length
        if length:
            width = dial.tick_width if major else dial.tick_width * 2 / 3
            angle = dial.angle_deg(100 * index / parts)
            stroke(plate, angle, 1 - length, 1.0, width, dial.ink)


def _text(plate: Pixels, text: str, place: tuple[float, float], size: float, dial: Dial) -> None:
    """Write text about a point, `size` radii high."""
    (_, height), _ = cv2.getTextSize(text, dial.font, 1.0, 1)
    scale = size * RADIUS / height
    thickness = 1 if size < 0.13 else 2
    (width, height), _ = cv2.getTextSize(text, dial.font, scale, thickness)
    origin = (round(place[0] - width / 2), round(place[1] + height / 2))
    cv2.putText(plate, text, origin, dial.font, scale, dial.ink, thickness, cv2.LINE_AA)


def _face_and_ink(random: np.random.Generator) -> tuple[Colour, Colour]:
    if random.random() < 0.7:
        return any_colour(random, 150, 250, 0.25), any_colour(random, 0, 60, 0.6)
    return any_colour(random, 5, 75, 0.5), any_colour(random, 170, 250, 0.4)


def _zones(random: np.random.Generator) -> tuple[Zone, ...]:
    if random.random() < 0.65:
        return ()
    count = int(random.integers(1, 4))
    ends = np.sort(random.uniform(0.0, 1.0, count + 1))
    if random.random() < 0.7:
        ends[-1] = 1.0
    if random.random() < 0.4:
        ends[0] = 0.0
    colours = [any_colour(random, 60, 190) for _ in range(count)]
    return tuple(
        Zone(start=float(ends[i]), end=float(ends[i + 1]), colour=colours[i]) for i in range(count)
    )


def _numerals(random: np.random.Generator, majors: int) -> tuple[str, ...]:
    step = float(random.choice(_STEPS))
    low = step * int(random.integers(-4, 3)) if random.random() < 0.3 else 0.0
    return tuple(f"{low + step * index:g}" for index in range(majors + 1))


def _words(random: np.random.Generator) -> tuple[tuple[str, float, float], ...]:
    places = [place for place in (-0.35, 0.3, 0.5) if random.random() < 0.45]
    return tuple(
        (str(random.choice(_WORDS)), place, random.uniform(0.08, 0.15)) for place in places
    )


def contrast(dial: Dial) -> float:
    """Return how much brighter or darker than the face the ink is, in pixel units."""
    return abs(luma(dial.ink) - luma(dial.face))
