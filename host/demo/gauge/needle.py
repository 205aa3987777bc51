"""The needle and its hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.gauge.paint import (
    PLATE,
    RADIUS,
    Colour,
    Point,
    any_colour,
    disc,
    luma,
    polygon,
    turned,
)

Shape = Literal["taper", "bar", "sword", "arrow"]
SHAPES: tuple[Shape, ...] = ("taper", "bar", "sword", "arrow")

CONTRAST = 80.0
"""Smallest difference of brightness between needle and face, in pixel units."""


@dataclass(frozen=True, kw_only=True)
class Needle:
    """A needle, as numbers; lengths in radii of the scale.

    Attributes:
        shape: its outline.
        length: from the centre to its tip.
        width: where it is widest.
        tail: how far it goes on behind the centre.
        weight: radius of a disc on the tail, 0 for none.
        colour: of needle and weight.
        hub: radius of the hub.
        hub_colour: its colour.
        shadow: (right, down) the shadow's distance.
        shadow_strength: 0 for none, 1 for black.
    """

    shape: Shape
    length: float
    width: float
    tail: float
    weight: float
    colour: Colour
    hub: float
    hub_colour: Colour
    shadow: Point
    shadow_strength: float

    def outline(self) -> list[Point]:
        """Return its corners, (across, along) in radii, pointing up."""
        half, tip, tail = self.width / 2, self.length, -self.tail
        if self.shape == "bar":
            return [(-half, tail), (-half, tip - half), (0, tip), (half, tip - half), (half, tail)]
        if self.shape == "sword":
            widest = 0.35 * tip
            return [(0, tail), (-half, widest), (0, tip), (half, widest)]
        if self.shape == "arrow":
            thin, neck = half * 0.4, tip - 3.2 * half
            shaft = [(-thin, tail), (-thin, neck), (-half * 1.2, neck)]
            return [*shaft, (0, tip), *((-across, along) for across, along in reversed(shaft))]
        point = half * 0.15
        return [(-half, tail), (-point, tip), (point, tip), (half, tail)]


def draw_a_needle(random: np.random.Generator, face: Colour) -> Needle:
    """Choose a needle at random that can be seen on a face."""
    bright = luma(face)
    colour = any_colour(random, 0, 255, random.uniform(0.2, 1.0))
    while abs(luma(colour) - bright) < CONTRAST:
        colour = any_colour(random, 0, 255, random.uniform(0.2, 1.0))
    tail = random.uniform(0.0, 0.28) if random.random() < 0.75 else 0.0
    light_from = random.uniform(0.0, 2 * np.pi)
    distance = random.uniform(0.02, 0.07)
    return Needle(
        shape=SHAPES[int(random.integers(len(SHAPES)))],
        length=random.uniform(0.68, 1.0),
        width=random.uniform(0.04, 0.12),
        tail=tail,
        weight=random.uniform(0.04, 0.09) if tail > 0.15 and random.random() < 0.3 else 0.0,
        colour=colour,
        hub=random.uniform(0.05, 0.17),
        hub_colour=colour if random.random() < 0.4 else any_colour(random, 0, 230, 0.4),
        shadow=(distance * float(np.sin(light_from)), distance * float(np.cos(light_from))),
        shadow_strength=random.uniform(0.1, 0.5) if random.random() < 0.6 else 0.0,
    )


def paint_needle(plate: Pixels, needle: Needle, angle_deg: float) -> None:
    """Paint a needle at an angle onto a dial, in place; first its shadow, last the hub."""
    outline = turned(needle.outline(), angle_deg)
    weight = turned([(0.0, -needle.tail)], angle_deg)[0]
    if needle.shadow_strength:
        shade = np.zeros((PLATE, PLATE), np.uint8)
        right, down = (RADIUS * part for part in needle.shadow)
        polygon(shade, [(x + right, y + down) for x, y in outline], 255)
        shade = np.asarray(cv2.blur(shade, (7, 7)), dtype=np.uint8)
        kept = 255 - cv2.convertScaleAbs(shade, alpha=needle.shadow_strength)
        cv2.multiply(plate, cv2.merge((kept, kept, kept)), dst=plate, scale=1 / 255)
    polygon(plate, outline, needle.colour)
    if needle.weight:
        disc(plate, needle.weight, needle.colour, weight)
    disc(plate, needle.hub, needle.hub_colour)
