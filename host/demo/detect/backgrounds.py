"""Backgrounds without things: a light that changes, a texture, and clutter in front of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels

_MOST_CLUTTER = 4
"""Lines and ellipses that are not to be found."""


def background(size: tuple[int, int], random: np.random.Generator) -> Pixels:
    """Return a drawn background, (H, W, 3) uint8 RGB.

    Args:
        size: (width, height) in pixels.
        random: chooses all of it.
    """
    first, second = _colour(random), _colour(random)
    if random.random() < 0.4:  # one colour in two lights
        second = first * np.float32(random.uniform(0.5, 0.9))
    share = _TEXTURES[int(random.integers(len(_TEXTURES)))](size, random)
    mixed = np.rint(first + (second - first) * share.astype(np.float32)[..., None])
    picture = np.ascontiguousarray(mixed, np.uint8)
    for _ in range(int(random.integers(_MOST_CLUTTER + 1))):
        _clutter(picture, random)
    return picture


def _gradient(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    along = _along(size, random)
    return np.asarray((along - along.min()) / np.ptp(along), np.float64)


def _clouds(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """Return coarse noise, enlarged."""
    cells = int(random.integers(3, 16))
    coarse = random.random((cells, cells))
    return np.clip(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float64)


def _stripes(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    period = random.uniform(0.06, 0.4) * max(size)
    wave = np.sin(2 * math.pi * _along(size, random) / period)
    return np.asarray(np.clip(wave * random.uniform(0.5, 4) / 2 + 0.5, 0, 1), np.float64)


def _tiles(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """Return tiles that differ a little, with joints between them."""
    side = round(random.uniform(0.12, 0.4) * max(size))
    y, x = np.mgrid[: size[1], : size[0]]
    shades = random.uniform(0, 0.5, (size[1] // side + 1, size[0] // side + 1))
    joints = np.minimum(x % side, y % side) < max(1, side // 16)
    return np.where(joints, 1.0, shades[y // side, x // side])


_TEXTURES = (_gradient, _clouds, _stripes, _tiles)


def _along(size: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """Return how far each pixel is along a random direction."""
    turn = random.uniform(0, 2 * math.pi)
    y, x = np.mgrid[: size[1], : size[0]]
    return np.asarray(x * math.cos(turn) + y * math.sin(turn), np.float64)


def _clutter(picture: Pixels, random: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    colour = _colour(random).tolist()
    start, end = ((int(random.integers(width)), int(random.integers(height))) for _ in range(2))
    if random.random() < 0.5:
        cv2.line(picture, start, end, colour, int(random.integers(1, 6)), cv2.LINE_AA)
    else:
        axes = tuple(int(random.integers(4, max(8, length // 5))) for length in (width, height))
        turn = random.uniform(0, 180)
        cv2.ellipse(picture, start, axes, turn, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)


def _colour(random: np.random.Generator) -> NDArray[np.float32]:
    """Return (3,) RGB, 0 to 255."""
    grey = random.uniform(30, 230)
    return np.asarray(np.clip(grey + random.normal(0, 30, 3), 0, 255), np.float32)
