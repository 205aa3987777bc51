"""A still with lines, zones and a region on it, and a grid to read ratios from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.loop.following.places import Places, draw_places
from edgeinfer.device.outputs.drawing.draw import Picture, PictureCanvas, within
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.pictures.region import Region
from edgeinfer.device.tasks.prediction import Colour

MOST_SIDE = 1600
LEAST_SIDE = 640
"""Smaller pictures are enlarged: there is no room for the grid's numbers."""

_TENTHS = 10
_GREY: Colour = (170, 170, 170)
_ARROW = 0.06
"""Length of the arrow that shows which way is in, as a share of the picture's shorter side."""


def places_picture(pixels: Pixels, places: Places, region: Region | None = None) -> Picture:
    """Return a copy of a picture with everything drawn on it.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        places: lines, each with an arrow to the side that counts as in, and zones.
        region: outside of it the picture is darker; None for no region.

    Returns:
        (h, w, 3) uint8 BGR, at most `MOST_SIDE` pixels a side.
    """
    canvas = PictureCanvas(_sized(np.ascontiguousarray(pixels[..., ::-1])))
    if region is not None:
        canvas.outside(region)
    _grid(canvas)
    size = (canvas.width, canvas.height)
    draw_places(canvas, size, places, places.names, dots=True)
    for number, line in enumerate(places.lines):
        start, end = np.array(line.points, np.float64) * size
        _arrow(canvas, start, end, canvas.colour(number))
    return canvas.picture


def _sized(picture: Picture) -> Picture:
    longest = max(picture.shape[:2])
    if longest < LEAST_SIDE:
        factor = LEAST_SIDE / longest
        size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return within(picture, MOST_SIDE)


def _grid(canvas: PictureCanvas) -> None:
    """Draw a thin line at each tenth of the width and of the height, and its number."""
    for tenth in range(1, _TENTHS):
        text = f"{tenth / _TENTHS:g}"
        x, y = round(canvas.width * tenth / _TENTHS), round(canvas.height * tenth / _TENTHS)
        for start, end in (((x, 0), (x, canvas.height)), ((0, y), (canvas.width, y))):
            cv2.line(canvas.picture, start, end, _GREY, 1)
        canvas.text(text, x + 3, canvas.letter_px + 4, _GREY)
        canvas.text(text, 3, y - 4, _GREY)


def _arrow(
    canvas: PictureCanvas, start: NDArray[np.float64], end: NDArray[np.float64], colour: Colour
) -> None:
    """Draw an arrow from the middle of a line to its right, with "in" at its end."""
    along = end - start
    right = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    middle = (start + end) / 2
    tip = middle + right * _ARROW * min(canvas.width, canvas.height)
    ends = [(round(x), round(y)) for x, y in (middle, tip)]
    cv2.arrowedLine(
        canvas.picture, ends[0], ends[1], colour, canvas.thickness, cv2.LINE_AA, tipLength=0.4
    )
    canvas.text("in", float(tip[0]) + canvas.letter_px / 2, float(tip[1]) + canvas.letter_px / 2)
