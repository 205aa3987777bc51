"""Pieces of clothing cut out of Fashion-MNIST, in a colour, mirrored and turned a little."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.demo.detect.cutout import Cutout, trimmed

Plane = NDArray[np.float32]

_ENLARGED = 4
_EDGE = 16
"""A grey level between the black around a piece and its darkest parts."""
_LEAST_PART = 6
"""Smaller specks, in pixels, are not part of a piece."""
MOST_TURN_DEG = 15.0


def clothing(picture: Pixels, random: np.random.Generator) -> Cutout:
    """Return a piece of clothing in a random colour.

    Args:
        picture: (28, 28, 3) uint8, a picture of Fashion-MNIST, as `read_sample` gives it.
        random: chooses the colour, the turn, and whether it is mirrored.

    Raises:
        ValueError: the picture is black.
    """
    grey: Pixels = picture[..., 0]
    if random.random() < 0.5:
        grey = np.ascontiguousarray(grey[:, ::-1])
    there = _silhouette(grey)
    # What is around a piece is black; where it is enlarged, that would become a dark rim.
    spread = cv2.dilate(grey, np.ones((5, 5), np.uint8))
    grey = np.where(there > 0, grey, spread)
    turn_deg = random.uniform(-MOST_TURN_DEG, MOST_TURN_DEG)
    shown, cover = (_enlarged(plane, turn_deg) for plane in (grey, there))
    smooth = cv2.GaussianBlur(cover, (0, 0), 0.7 * _ENLARGED)  # takes the pixels' corners away
    sharp = np.clip((smooth - 0.5) * 2 * _ENLARGED + 0.5, 0, 1)
    return trimmed(Cutout(pixels=_coloured(shown, random), cover=sharp.astype(np.float32)))


def _silhouette(grey: Pixels) -> Pixels:
    """Return 1 where a piece is, with the dark parts inside of it, else 0."""
    count, parts, figures, _ = cv2.connectedComponentsWithStats((grey >= _EDGE).astype(np.uint8))
    kept = [part for part in range(1, count) if figures[part, cv2.CC_STAT_AREA] >= _LEAST_PART]
    there = np.isin(parts, kept).astype(np.uint8)
    outlines, _ = cv2.findContours(there, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(there, outlines, -1, (1,), cv2.FILLED)
    return there


def _enlarged(plane: Pixels, turn_deg: float) -> Plane:
    """Return a plane at `_ENLARGED` times its size, turned about its centre, with room around."""
    side = max(plane.shape)
    middle = (side - 1) / 2
    matrix = np.array(cv2.getRotationMatrix2D((middle, middle), turn_deg, _ENLARGED), np.float64)
    room = round(side * _ENLARGED * 1.4)
    matrix[:, 2] += (room - 1) / 2 - middle
    large = cv2.warpAffine(plane.astype(np.float32), matrix, (room, room), flags=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def _coloured(grey: Plane, random: np.random.Generator) -> Pixels:
    """Return RGB of a grey picture: white becomes a random colour, black a dark one."""
    light = random.uniform(60, 255) * (1 - random.uniform(0, 0.7) * random.random(3))
    dark = light * random.uniform(0.15, 0.5)
    colours = dark + (light - dark) * np.linspace(0, 1, 256)[:, None]
    shades = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.asarray(np.rint(colours)[shades], np.uint8)
