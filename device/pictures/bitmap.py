"""BMP files without a palette, decoded by their masks: 16, 24 or 32 bits a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.headers import ImageHeader

_STEP_PIXELS = 1 << 18
"""Pixels that are decoded in one step."""


def decode_bitmap(header: ImageHeader) -> NDArray[np.uint8]:
    """Return a BMP's pixels, (H, W, 3) BGR or (H, W, 4) BGRA.

    An alpha that is 0 everywhere is none: what the clipboard of Windows holds is often so.

    Args:
        header: of the BMP, with `bit_fields`, whose rows are all in `payload`.
    """
    fields, (width, height) = header.bit_fields, header.size
    assert fields is not None
    rows = np.frombuffer(header.payload, np.uint8, fields.row_bytes * height, fields.offset)
    rows = rows.reshape(height, fields.row_bytes)[:, : width * fields.depth // 8]
    if not fields.top_down:
        rows = rows[::-1]
    masks = [fields.masks[2], fields.masks[1], fields.masks[0]]
    if fields.masks[3]:
        masks.append(fields.masks[3])
    pixels = np.empty((height, width, len(masks)), np.uint8)
    step = max(1, _STEP_PIXELS // max(1, width))
    for first in range(0, height, step):
        part = rows[first : first + step]
        words = _words(np.ascontiguousarray(part), fields.depth)
        for channel, mask in enumerate(masks):
            pixels[first : first + step, :, channel] = _levels(words, mask)
    if len(masks) == 4 and not pixels[..., 3].any():
        pixels[..., 3] = 255
    return pixels


def _words(part: NDArray[np.uint8], depth: int) -> NDArray[np.uint32]:
    """Return each pixel of some rows as a number."""
    if depth == 24:
        blue, green, red = (part[:, place::3].astype(np.uint32) for place in range(3))
        return np.asarray(blue | green << np.uint32(8) | red << np.uint32(16), np.uint32)
    stored = part.view(np.dtype("<u2" if depth == 16 else "<u4"))
    return np.asarray(stored).astype(np.uint32)


def _levels(words: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Return the bits of a mask as 0 to 255, rounded to the nearest."""
    low = (mask & -mask).bit_length() - 1
    most = mask >> low
    levels = (words & np.uint32(mask)) >> np.uint32(low)
    if most == 255:
        return levels.astype(np.uint8)
    wide = levels.astype(np.uint64)
    return ((wide * np.uint64(255) + np.uint64(most // 2)) // np.uint64(most)).astype(np.uint8)
