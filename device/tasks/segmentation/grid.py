"""Grids of cells over a picture: what of them a frame reaches, and which cell a pixel is in."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Placing

Box = tuple[float, float, float, float]


class InFrame(NamedTuple):
    """What of a grid a frame reaches into.

    Attributes:
        rows: of the grid.
        columns: of the grid.
        box: left, top, right and bottom of these cells, in pixels of the frame.
    """

    rows: slice
    columns: slice
    box: Box


def grid_in_frame(
    placing: Placing, size: tuple[int, int], box: Box, shape: tuple[int, int]
) -> InFrame:
    """Return the cells that a frame reaches into.

    Args:
        placing: how frames are placed in the model's image.
        size: (width, height) of the frame.
        box: left, top, right and bottom of the grid in the model's image.
        shape: rows and columns of the grid.
    """
    placement = placing(size)
    left, top, right, bottom = box
    rows, columns = shape
    first, last = _covered(
        columns, left, right, placement.left, placement.left + placement.fill_width
    )
    upper, lower = _covered(rows, top, bottom, placement.top, placement.top + placement.fill_height)
    width, height = (right - left) / columns, (bottom - top) / rows
    corners = placement.to_frame(
        np.array(
            [
                [left + first * width, top + upper * height],
                [left + last * width, top + lower * height],
            ]
        )
    )
    begin_x, begin_y, end_x, end_y = corners.reshape(-1).tolist()
    return InFrame(slice(upper, lower), slice(first, last), (begin_x, begin_y, end_x, end_y))


def _covered(
    cells: int, begin: float, end: float, fill_begin: int, fill_end: int
) -> tuple[int, int]:
    """Return the first cell along one axis that frames reach into, and the one after the last."""
    width = (end - begin) / cells
    first = min(max(math.floor((fill_begin - begin) / width), 0), cells - 1)
    last = min(max(math.ceil((fill_end - begin) / width), first + 1), cells)
    return first, last


def cells_of_pixels(
    pixels: int, begin: float, end: float, cells: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the cell of each pixel along one axis, and which pixels are in one at all."""
    places = (np.arange(pixels) + 0.5 - begin) / (end - begin)
    seen = (places >= 0) & (places < 1)
    return np.clip(np.floor(places * cells), 0, cells - 1).astype(np.int64), seen
