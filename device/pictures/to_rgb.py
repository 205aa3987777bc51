"""What decoders give, grey, BGR or BGRA of 8 or 16 bits, as RGB on white."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.headers import ImageHeader
from edgeinfer.device.pictures.pixel_formats import Pixels, on_white, to_8_bits

_STEP_PIXELS = 1 << 18
"""Pixels that are converted in one step."""
_WHITE = 255


def to_rgb(decoded: NDArray[Any], header: ImageHeader) -> Pixels:
    """Turn what a decoder gave into RGB, (H, W, 3), on white where it is transparent.

    A picture may take all the memory that there is: so RGB replaces what it is made from,
    some rows at a time.

    Args:
        decoded: (H, W), or (H, W, C) of 1 to 4 channels, uint8 or uint16; it is overwritten.
        header: what the file says of transparency, and where in the picture this is.
    """
    height, width = decoded.shape[:2]
    decoded = decoded.reshape(height, width, -1)
    if header.opaque and decoded.shape[2] == 4:
        decoded = decoded[:, :, :3]
    channels = decoded.shape[2]
    if header.part is not None:
        pixels, place = _in_part(header)
    elif channels < 3:
        pixels = place = np.empty((height, width, 3), np.uint8)
    else:
        if not (decoded.flags.c_contiguous and decoded.flags.writeable):
            decoded = decoded.copy()
        # What a row becomes is never longer than the row.
        flat = decoded.reshape(-1).view(np.uint8)[: height * width * 3]
        pixels = place = flat.reshape(height, width, 3)
    rows = max(1, _STEP_PIXELS // max(1, width))
    for first in range(0, height, rows):
        place[first : first + rows] = _rows_to_rgb(decoded[first : first + rows], header)
    return pixels


def _in_part(header: ImageHeader) -> tuple[Pixels, Pixels]:
    """Return a white picture, and the view of it that is decoded."""
    assert header.part is not None
    left, top, width, height = header.part
    pixels = np.full((header.size[1], header.size[0], 3), _WHITE, np.uint8)
    return pixels, pixels[top : top + height, left : left + width]


def _rows_to_rgb(stored: NDArray[Any], header: ImageHeader) -> NDArray[np.uint8]:
    """Return rows of grey, BGR or BGRA as new memory in RGB."""
    part, channels = to_8_bits(stored), stored.shape[2]
    if channels < 3:
        colours = np.repeat(part[:, :, :1], 3, axis=2)
    elif channels == 3:
        colours = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2RGB), np.uint8)
    else:
        colours = on_white(part[:, :, 2::-1], part[:, :, 3:4], premultiplied=header.premultiplied)
    if header.colour_key:
        # Compared before 16 bits become 8, or its neighbours would be transparent as well.
        colours[(stored == np.array(header.colour_key[::-1])).all(axis=2)] = _WHITE
    return colours
