"""Gauges of a second kind, to see what a network of the demo's gauges makes of others.

No code is shared with `edgeinfer.host.demo.gauge`, and each quantity has another distribution. Here
nothing is drawn: each of four points in every pixel looks up where it is on the dial, and formulas
say how far that is from ticks, needle and rim. The scales are round numbers of degrees, ticks may
be dots or wedges, numerals are of a font of 3x5 squares, casings are superellipses, shadows are
those of blinds, glare is a window's, noise grows with the light, and files are WebP.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Rgb = NDArray[np.float32]

SIDE = 150
_SAMPLES = 2
_DIGITS = (
    *("111101101101111", "010110010010111", "111001111100111", "111001111001111"),
    *("101101111001001", "111100111001111", "111100111101111", "111001010010010"),
    *("111101111101111", "111101111001111"),
)
"""Rows of a digit, from the top, three squares each."""


@dataclass(frozen=True, kw_only=True)
class _Plane:
    """Where each point of the picture is on the dial: in radii, and clockwise from above."""

    right: Field
    down: Field
    radius: Field
    angle_deg: Field


def other_gauge(seed: int, number: int) -> tuple[NDArray[np.uint8], float]:
    """Return (SIDE, SIDE, 3) uint8 RGB of a gauge and its reading in percent."""
    random = np.random.default_rng((seed, number))
    percent = float(random.uniform(0, 100))
    return paint(random, percent), percent


def paint(random: np.random.Generator, percent: float) -> NDArray[np.uint8]:
    """Return the picture of a random gauge that shows `percent`."""
    plane = _look(random)
    sweep = float(random.choice((200, 220, 240, 260, 270, 280, 290)))
    start = -sweep / 2 + float(random.choice((-5, 0, 0, 0, 5)))
    dark = random.random() < 0.4
    face = _colour(random, 0.1, 0.35) if dark else _colour(random, 0.7, 0.95)
    ink = _colour(random, 0.8, 1.0) if dark else _colour(random, 0.0, 0.2)
    picture = _wall(random, plane)
    power = float(random.choice((2, 2, 2, 5)))
    out = (np.abs(plane.right) ** power + np.abs(plane.down) ** power) ** (1 / power)
    _mix(picture, _inside(1.26 - out), _colour(random, 0.1, 0.9))
    _mix(picture, _inside(1.14 - plane.radius), face)
    _scale(picture, plane, random, start, sweep, ink)
    _needle(picture, plane, random, start + sweep * percent / 100, dark)
    return _photograph(picture, plane, random)


def _look(random: np.random.Generator) -> _Plane:
    fine = SIDE * _SAMPLES
    axis = (np.arange(fine, dtype=np.float32) + 0.5) / fine - 0.5
    x, y = np.meshgrid(axis - random.normal(0, 0.02), axis - random.normal(0, 0.02))
    roll = math.radians(random.normal(0, 3))
    size = random.uniform(0.34, 0.4)
    right = (x * math.cos(roll) + y * math.sin(roll)) / size
    down = (y * math.cos(roll) - x * math.sin(roll)) / size
    # What is farther away is smaller, and a dial seen from the side is narrower.
    side, above = random.normal(0, 0.035, 2)
    farther = 1 + side * right + above * down
    right, down = right / farther * random.uniform(1, 1.05), down / farther
    angle = np.degrees(np.arctan2(right, -down))
    return _Plane(right=right, down=down, radius=np.hypot(right, down), angle_deg=angle)


def _scale(
    picture: Rgb, plane: _Plane, random: np.random.Generator, start: float, sweep: float, ink: Rgb
) -> None:
    """Paint ticks, the line along them and the numerals."""
    # Angles are counted from the middle of the gap, so that no part of the scale crosses a turn.
    middle = start + sweep / 2
    from_middle = (plane.angle_deg - middle + 180) % 360 - 180
    along = (from_middle + sweep / 2) / sweep
    parts = int(random.integers(5, 11))
    kind = random.choice(("lines", "dots", "wedges"))
    for count, length, width in ((parts, 0.17, 0.018), (parts * 4, 0.08, 0.01)):
        if count > parts and random.random() < 0.3:
            continue
        nearest = np.clip(np.rint(along * count), 0, count)
        off = np.radians(from_middle + sweep / 2 - nearest * sweep / count) * plane.radius
        deep = plane.radius - (0.97 - length / 2)
        if kind == "dots":
            distance = np.hypot(off, deep) - 1.7 * width
        else:
            half = width * (0.5 + (deep / length + 0.5)) if kind == "wedges" else width
            distance = np.maximum(np.abs(off) - half, np.abs(deep) - length / 2)
        _mix(picture, _inside(-distance), ink)
    if random.random() < 0.5:
        on_scale = np.abs(from_middle) <= sweep / 2
        _mix(picture, _inside(0.012 - np.abs(plane.radius - 1.0)) * on_scale, ink)
    if random.random() < 0.7:
        unit = int(random.choice((1, 3, 4, 15, 30, 40)))
        for index in range(parts + 1):
            angle = math.radians(start + sweep * index / parts)
            _numeral(picture, plane, str(unit * index), angle, 0.66, ink)


def _numeral(picture: Rgb, plane: _Plane, text: str, angle: float, radius: float, ink: Rgb) -> None:
    squares = np.zeros((5, 4 * len(text) - 1), np.float32)
    for place, digit in enumerate(text):
        rows = np.array(list(_DIGITS[int(digit)]), np.float32).reshape(5, 3)
        squares[:, 4 * place : 4 * place + 3] = rows
    high = 0.12
    column = (plane.right - radius * math.sin(angle)) / high * 5 + squares.shape[1] / 2
    row = (plane.down + radius * math.cos(angle)) / high * 5 + 2.5
    inside = (column >= 0) & (column < squares.shape[1]) & (row >= 0) & (row < 5)
    share = np.zeros_like(plane.right)
    share[inside] = squares[row[inside].astype(int), column[inside].astype(int)]
    _mix(picture, share, ink)


def _needle(
    picture: Rgb, plane: _Plane, random: np.random.Generator, angle_deg: float, dark: bool
) -> None:
    angle = math.radians(angle_deg)
    along = plane.right * math.sin(angle) - plane.down * math.cos(angle)
    across = plane.right * math.cos(angle) + plane.down * math.sin(angle)
    length, half = random.uniform(0.7, 0.95), random.uniform(0.02, 0.045)
    tail = float(random.choice((0.0, 0.15, 0.25)))
    kind = random.choice(("capsule", "ring", "leaf"))
    colour = _colour(random, 0.75, 1.0) if dark else _colour(random, 0.0, 0.4)
    beyond = along - np.clip(along, -tail, length - half)
    shape = half - np.hypot(across, beyond)
    if kind == "ring":  # a circle on the needle, as on old watches
        ring = half - np.abs(np.hypot(across, along - 0.6 * length) - 2.2 * half)
        shape = np.maximum(np.minimum(shape, 0.6 * half - np.abs(across)), 0.5 * ring)
    if kind == "leaf":
        wide = (
            1.6 * half * np.sqrt(np.clip(1 - ((along - 0.4 * length) / (0.62 * length)) ** 2, 0, 1))
        )
        shape = np.minimum(wide - np.abs(across), along + tail)
        shape = np.minimum(shape, length - along)
    _mix(picture, _inside(shape), colour)
    _mix(picture, _inside(random.uniform(0.06, 0.14) - plane.radius), _colour(random, 0.1, 0.8))


def _wall(random: np.random.Generator, plane: _Plane) -> Rgb:
    """Paint bricks, or nothing but a colour."""
    first, second = _colour(random, 0.1, 0.9), _colour(random, 0.1, 0.9)
    wall = np.empty((*plane.right.shape, 3), np.float32)
    wall[:] = first
    if random.random() < 0.5:
        row = np.floor(plane.down / 0.3)
        joint = np.minimum(plane.down / 0.3 % 1, (plane.right / 0.7 + row / 2) % 1)
        _mix(wall, (joint < 0.08).astype(np.float32), second)
    return wall


def _photograph(picture: Rgb, plane: _Plane, random: np.random.Generator) -> NDArray[np.uint8]:
    """Add light, a lens and a sensor; average the points of each pixel; compress."""
    light = random.uniform(0.65, 1.0) * (1 - random.uniform(0, 0.12) * plane.radius**2)
    if random.random() < 0.3:
        turn = random.uniform(0, math.pi)
        blinds = np.sin(9 * (plane.right * math.cos(turn) + plane.down * math.sin(turn)))
        light = light * (1 - random.uniform(0.1, 0.3) * (blinds > 0))
    picture = picture * light[..., None]
    if random.random() < 0.3:
        x, y = plane.right - random.uniform(-0.6, 0.6), plane.down - random.uniform(-0.6, 0.6)
        picture += (
            random.uniform(0.1, 0.4) * ((np.abs(x) < 0.2) & (np.abs(y + 0.3 * x) < 0.25))[..., None]
        )
    picture = picture.reshape(SIDE, _SAMPLES, SIDE, _SAMPLES, 3).mean(axis=(1, 3))
    width = int(random.choice((1, 1, 2, 3)))
    blurred = cv2.blur(np.clip(picture, 0, 1), (width, width))
    grain = random.standard_normal(blurred.shape, np.float32) * random.uniform(0, 0.05)
    seen = np.clip(blurred + grain * np.sqrt(blurred), 0, 1) ** random.uniform(0.9, 1.15)
    pixels = np.rint(255 * seen).astype(np.uint8)
    quality = (cv2.IMWRITE_WEBP_QUALITY, int(random.integers(40, 95)))
    _, content = cv2.imencode(".webp", pixels, quality)
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _colour(random: np.random.Generator, darkest: float, brightest: float) -> Rgb:
    """Return a colour whose mean is in a range; red first."""
    tint = random.dirichlet((4, 4, 4)) * 3
    return np.clip(tint * random.uniform(darkest, brightest), 0, 1).astype(np.float32)


def _inside(distance: Field) -> Field:
    """Return the share of each point that is inside a shape, from its distance to the edge."""
    return np.clip(distance * SIDE * 0.38 * _SAMPLES + 0.5, 0, 1)


def _mix(picture: Rgb, share: Field, colour: Rgb) -> None:
    picture += (colour - picture) * share[..., None]
