"""Ten kinds of drawn shapes, turned anyhow, in colours and textures of two families of styles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.detect.cutout import Cutout, trimmed

Points = NDArray[np.float64]
_SIDE = 256
"""Of the square on which a shape is drawn before it is made smaller."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the shapes of one family look.

    Attributes:
        hues: ranges of the colours' hue in degrees.
        textures: names of what they are filled with.
        line: the least and the largest width of the outline, in shares of the side; 0 is none.
    """

    hues: tuple[tuple[float, float], ...]
    textures: tuple[str, ...]
    line: tuple[float, float]


LEARNED = Style(
    hues=((0, 35), (90, 125), (180, 215), (270, 305)),
    textures=("plain", "stripes", "gradient"),
    line=(0.0, 0.02),
)
UNSEEN = Style(
    hues=((45, 80), (135, 170), (225, 260), (315, 350)),
    textures=("checks", "dots", "gradient"),
    line=(0.025, 0.04),
)


def shape(kind: str, style: Style, random: np.random.Generator) -> Cutout:
    """Return a shape, turned at random.

    Args:
        kind: one of `KINDS`.
        style: the family of its look.
        random: chooses proportions, turn, colours and texture.
    """
    outlines = KINDS[kind](random)
    turn = random.uniform(0, 2 * math.pi)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    turned = [outline @ matrix.T for outline in outlines]
    reach = max(float(np.abs(outline).max()) for outline in turned)
    fixed = [
        np.rint((outline / reach * 0.46 + 0.5) * _SIDE * 16).astype(np.int32) for outline in turned
    ]
    cover = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(cover, fixed, (255,), cv2.LINE_AA, 4)  # outlines inside of others are holes
    first, second, third = (_colour(style, random) for _ in range(3))
    pixels = _filled(str(random.choice(style.textures)), first, second, random)
    width = round(random.uniform(*style.line) * _SIDE)
    if width:
        colour = tuple(map(int, third))
        cv2.polylines(pixels, fixed, True, colour, 2 * width, cv2.LINE_AA, 4)
    return trimmed(Cutout(pixels=pixels, cover=cover.astype(np.float32) / 255))


def _filled(name: str, first: Pixels, second: Pixels, random: np.random.Generator) -> Pixels:
    """Return a square of a texture of two colours."""
    turn, period = random.uniform(0, math.pi), random.uniform(0.12, 0.3) * _SIDE
    y, x = np.mgrid[:_SIDE, :_SIDE]
    along = x * math.cos(turn) + y * math.sin(turn)
    across = y * math.cos(turn) - x * math.sin(turn)
    if name == "plain":
        share = np.zeros((_SIDE, _SIDE))
    elif name == "gradient":
        share = (along - along.min()) / np.ptp(along)
    elif name == "stripes":
        share = along % period < period / 2
    elif name == "checks":
        share = (along % period < period / 2) != (across % period < period / 2)
    else:
        from_dot = np.hypot(along % period - period / 2, across % period - period / 2)
        share = from_dot < 0.3 * period
    mixed = first + (second.astype(float) - first) * np.asarray(share, float)[..., None]
    return np.ascontiguousarray(np.rint(mixed), dtype=np.uint8)


def _colour(style: Style, random: np.random.Generator) -> Pixels:
    """Return one colour, (3,) uint8 RGB."""
    low, high = style.hues[int(random.integers(len(style.hues)))]
    hsv = random.uniform(low, high) / 2, random.uniform(80, 255), random.uniform(70, 255)
    one = cv2.cvtColor(np.array([[hsv]]).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.asarray(one[0, 0], np.uint8)


def _circle(radius: float, x: float = 0.0, y: float = 0.0) -> Points:
    angles = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    return np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])


def _star_of(radii: list[float]) -> Points:
    """Return an outline with corners at equal angles, at these distances."""
    angles = np.linspace(0, 2 * math.pi, len(radii), endpoint=False)
    corners = np.array(radii)[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.asarray(corners, np.float64)


def _ring(random: np.random.Generator) -> list[Points]:
    return [_circle(1), _circle(random.uniform(0.5, 0.7))]


def _star(random: np.random.Generator) -> list[Points]:
    return [_star_of([1, random.uniform(0.35, 0.5)] * 5)]


def _triangle(random: np.random.Generator) -> list[Points]:
    return [_star_of([1, random.uniform(0.8, 1.2), 1])]


def _gear(random: np.random.Generator) -> list[Points]:
    low = random.uniform(0.7, 0.78)
    return [_star_of([1, 1, low, low] * 10), _circle(random.uniform(0.25, 0.4))]


def _cross(random: np.random.Generator) -> list[Points]:
    arm = random.uniform(0.2, 0.35)
    quarter = np.array([[arm, arm], [arm, 1], [-arm, 1]])
    turn = np.array([[0, 1], [-1, 0]])
    return [np.concatenate([quarter @ np.linalg.matrix_power(turn, n) for n in range(4)])]


def _arrow(random: np.random.Generator) -> list[Points]:
    half, neck = random.uniform(0.12, 0.25), random.uniform(-0.2, 0.2)
    upper = np.array([[-1, half], [neck, half], [neck, 0.6], [1, 0]])
    return [np.concatenate([upper, upper[-2::-1] * [1, -1]])]


def _heart(random: np.random.Generator) -> list[Points]:
    t = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    wide = random.uniform(0.9, 1.1)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.column_stack([wide * 16 * np.sin(t) ** 3, -y - 2.5]) / 17]


def _crescent(random: np.random.Generator) -> list[Points]:
    """A circle without another one that is moved: the arcs of both between where they meet."""
    moved, radius = random.uniform(0.35, 0.5), random.uniform(0.75, 0.85)
    x = (1 - radius**2 + moved**2) / (2 * moved)
    outer, inner = math.acos(x), math.acos((x - moved) / radius)
    far = np.linspace(outer, 2 * math.pi - outer, 48)
    near = np.linspace(2 * math.pi - inner, inner, 48)
    return [
        np.concatenate(
            [
                np.column_stack([np.cos(far), np.sin(far)]),
                np.column_stack([moved + radius * np.cos(near), radius * np.sin(near)]),
            ]
        )
    ]


def _bolt(random: np.random.Generator) -> list[Points]:
    thick = random.uniform(0.9, 1.1)
    half = np.array([[0.25, -1], [-0.5, 0.15], [-0.05, 0.15]]) * [thick, 1]
    return [np.concatenate([half, -half])]


def _hourglass(random: np.random.Generator) -> list[Points]:
    wide, neck = random.uniform(0.6, 0.8), random.uniform(0.06, 0.15)
    half = np.array([[-wide, -1], [wide, -1], [neck, 0]])
    return [np.concatenate([half, -half])]


KINDS: Mapping[str, Callable[[np.random.Generator], list[Points]]] = {
    "ring": _ring,
    "star": _star,
    "triangle": _triangle,
    "gear": _gear,
    "cross": _cross,
    "arrow": _arrow,
    "heart": _heart,
    "crescent": _crescent,
    "bolt": _bolt,
    "hourglass": _hourglass,
}
"""Functions of the shapes' outlines, points (x, y) about 0."""
