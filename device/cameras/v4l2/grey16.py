"""From grey of 10 to 16 bits, as thermal and industrial cameras send it, to grey of 8 bits.

The range is fixed for the whole stream, so that one value is always the same grey: otherwise a
model would see something else in each picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.v4l2.layout import GREY16_BITS

NEEDS_RANGE = tuple(name for name, bits in GREY16_BITS.items() if bits == 16)
"""Formats of which only the user knows what is black and what is white: sensors of 14 bits, and
temperatures in hundredths of a kelvin, are sent as 16 bits."""


def whole_range(fourcc: str) -> tuple[int, int] | None:
    """Return the range that a format itself defines; None for one of `NEEDS_RANGE`."""
    if fourcc in NEEDS_RANGE:
        return None
    return 0, (1 << GREY16_BITS[fourcc]) - 1


def grey_table(raw_range: tuple[int, int]) -> NDArray[np.uint8]:
    """Return for each raw value its grey, (65536,) uint8, rounded.

    Args:
        raw_range: (low, high): what becomes 0 and 255; values outside become those too.
    """
    low, high = raw_range
    span = high - low
    above = np.clip(np.arange(1 << 16, dtype=np.int64) - low, 0, span)
    return ((above * 255 + span // 2) // span).astype(np.uint8)
