"""Separable fixed-point resampling in numpy: what the native kernels are held to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.preprocess.taps import WEIGHT_BITS, Taps

FRACTION_BITS = 7
"""Fractional bits kept between the passes: 255 * 2**7 is the largest that 15 bits hold."""

_ROW_SHIFT = WEIGHT_BITS - FRACTION_BITS
_COLUMN_SHIFT = WEIGHT_BITS + FRACTION_BITS


def resample(pixels: Pixels, rows: Taps, columns: Taps) -> Pixels:
    """Resample an image along both axes: rows first, then columns, each rounded half up.

    Args:
        pixels: (H, W, 3) uint8.
        rows: weights of the vertical axis, for H source pixels.
        columns: weights of the horizontal axis, for W source pixels.

    Returns:
        (rows.output_size, columns.output_size, 3) uint8.
    """
    if pixels.shape[:2] != (rows.source_size, columns.source_size):
        raise ValueError(
            f"image is {pixels.shape[:2]}, expected {(rows.source_size, columns.source_size)}"
        )
    if rows.is_identity and columns.is_identity:
        return np.ascontiguousarray(pixels)
    height, width, depth = pixels.shape
    flat = pixels.reshape(height, width * depth)
    indices, weights = rows.padded()
    total: NDArray[np.int32] = np.zeros((rows.output_size, width * depth), np.int32)
    for k in range(indices.shape[1]):
        total += weights[:, k, None] * flat[indices[:, k]]
    tall = ((total + (1 << (_ROW_SHIFT - 1))) >> _ROW_SHIFT).reshape(-1, width, depth)

    indices, weights = columns.padded()
    result: NDArray[np.int32] = np.zeros((rows.output_size, columns.output_size, depth), np.int32)
    for k in range(indices.shape[1]):
        result += weights[:, k, None] * tall[:, indices[:, k]]
    return ((result + (1 << (_COLUMN_SHIFT - 1))) >> _COLUMN_SHIFT).astype(np.uint8)
