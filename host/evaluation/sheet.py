"""A picture of the worst answers, each drawn on its picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.outputs.drawing.draw import MIN_SIDE, Picture, PictureCanvas
from edgeinfer.host.evaluation.worst import Answered

SIDE = 320
"""Side of one picture on the sheet, pixels."""

_GAP = 8
_GROUND = 32


def worst_sheet(answered: Sequence[Answered], out: Path) -> None:
    """Draw answers onto their pictures and write them as one PNG.

    Args:
        answered: the pictures, the worst first; at least one.
        out: the file.

    Raises:
        StorageError: it cannot be written.
    """
    tiles = []
    for one in answered:
        square, size = _fitted(np.ascontiguousarray(one.pixels[..., ::-1]))
        canvas = PictureCanvas(square, size=size)
        one.draw_truth(canvas)
        one.prediction.draw(canvas, one.truth)
        canvas.caption(Path(one.source).name)
        tiles.append(canvas.picture)
    write_atomically(out, cv2.imencode(".png", _joined(tiles))[1].tobytes())


def _fitted(picture: Picture) -> tuple[Picture, tuple[int, int]]:
    """Return a square of `SIDE` with the picture in its upper left corner, and its size there.

    Its proportions are kept; small ones grow in whole steps.
    """
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_NEAREST if max(height, width) < MIN_SIDE else cv2.INTER_AREA
    square = np.full((SIDE, SIDE, 3), _GROUND, np.uint8)
    square[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=way)
    return square, size


def _joined(tiles: Sequence[Picture]) -> Picture:
    """Return the tiles in rows, as a sheet that is about square."""
    columns = max(1, math.ceil(math.sqrt(len(tiles))))
    rows = max(1, math.ceil(len(tiles) / columns))
    step = SIDE + _GAP
    sheet = np.full((rows * step + _GAP, columns * step + _GAP, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = _GAP + number // columns * step, _GAP + number % columns * step
        sheet[top : top + SIDE, left : left + SIDE] = tile
    return sheet
