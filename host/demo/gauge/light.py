"""Light on the picture: gradients, the shadow of something near it, and glare."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.gauge.paint import Point

_COARSE = 32
"""Side of the field of light, which is smooth, before it is enlarged to the picture."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Glare on the glass: an ellipse. Places and sizes are shares of the picture's side."""

    centre: Point
    size: Point
    turned_deg: float
    strength: float
    sharpness: float


@dataclass(frozen=True, kw_only=True)
class Light:
    """The light, as numbers.

    Attributes:
        level: factor of everything.
        tint: factors of red, green and blue.
        gamma: exponent of the tones.
        gradient: (right, down) change of the factor from the middle to the border.
        shade: (angle in degrees, offset from the middle in sides, softness in sides, darkness) of
            the edge of a shadow; None for no shadow.
        spots: glare.
        haze: share of white over everything, as of a dirty glass.
    """

    level: float
    tint: tuple[float, float, float]
    gamma: float
    gradient: Point
    shade: tuple[float, float, float, float] | None
    spots: tuple[Spot, ...]
    haze: float


def draw_a_light(random: np.random.Generator) -> Light:
    """Choose a light at random."""
    shade = (
        random.uniform(0.0, 360.0),
        random.uniform(-0.35, 0.35),
        random.uniform(0.005, 0.15),
        random.uniform(0.15, 0.55),
    )
    has_shade = random.random() < 0.35
    spots = tuple(
        Spot(
            centre=(random.uniform(0.15, 0.85), random.uniform(0.15, 0.85)),
            size=(random.uniform(0.03, 0.16), random.uniform(0.02, 0.06)),
            turned_deg=random.uniform(0.0, 180.0),
            strength=random.uniform(30.0, 150.0),
            sharpness=random.uniform(1.0, 4.0),
        )
        for _ in range(int(random.choice((0, 1, 2), p=(0.6, 0.3, 0.1))))
    )
    warm = random.uniform(-0.1, 0.1)
    return Light(
        level=random.uniform(0.6, 1.1),
        tint=(1 + warm, 1.0, 1 - warm),
        gamma=random.uniform(0.8, 1.3),
        gradient=(random.uniform(-0.35, 0.35), random.uniform(-0.35, 0.35)),
        shade=shade if has_shade else None,
        spots=spots,
        haze=random.uniform(0.0, 0.2) if random.random() < 0.3 else 0.0,
    )


def apply_light(picture: Pixels, light: Light) -> Pixels:
    """Return the picture (H, W, 3) uint8 under the light."""
    height, width = picture.shape[:2]
    tones = (np.arange(256) / 255) ** light.gamma * light.level * (1 - light.haze) + light.haze
    table = np.clip(255 * tones[:, None] * light.tint, 0, 255).astype(np.uint8)
    lit = cv2.LUT(picture, table.reshape(256, 1, 3))
    factors, added = _fields(light)
    size = (width, height)
    shares = cv2.resize(factors, size, interpolation=cv2.INTER_LINEAR)
    shone = cv2.multiply(lit, cv2.merge((shares,) * 3), dtype=cv2.CV_32F)
    if light.spots:
        glare = cv2.resize(added, size, interpolation=cv2.INTER_LINEAR)
        cv2.add(shone, cv2.merge((glare,) * 3), dst=shone)
    return np.asarray(np.clip(shone, 0, 255), dtype=np.uint8)


def _fields(light: Light) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the factors and what glare adds, (_COARSE, _COARSE) each."""
    axis = (np.arange(_COARSE, dtype=np.float32) + 0.5) / _COARSE
    x, y = axis[None, :], axis[:, None]
    factors = 1 + 2 * light.gradient[0] * (x - 0.5) + 2 * light.gradient[1] * (y - 0.5)
    if light.shade is not None:
        angle, offset, softness, darkness = light.shade
        along = (x - 0.5) * math.cos(math.radians(angle)) + (y - 0.5) * math.sin(
            math.radians(angle)
        )
        edge = np.clip((along - offset) / max(softness, 1 / _COARSE) + 0.5, 0, 1)
        factors = factors * (1 - darkness * edge)
    added = np.zeros((_COARSE, _COARSE), np.float32)
    for spot in light.spots:
        turn = math.radians(spot.turned_deg)
        right, down = x - spot.centre[0], y - spot.centre[1]
        along = right * math.cos(turn) + down * math.sin(turn)
        across = down * math.cos(turn) - right * math.sin(turn)
        distance = np.sqrt((along / spot.size[0]) ** 2 + (across / spot.size[1]) ** 2)
        beyond = np.minimum(4 * spot.sharpness * (distance - 1), 50)
        added += spot.strength / (1 + np.exp(beyond))
    return factors.astype(np.float32), added.astype(np.float32)
