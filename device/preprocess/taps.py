"""Fixed-point resampling weights: which source pixels make an output pixel, and how much of each.

Both kernels of PreprocessSpec reduce to this one table an axis, made with integers only, so that
every machine gets the same weights. The sum of an output pixel's weights is exactly 2**14.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.preprocess.spec import ResizeKernel

WEIGHT_BITS = 14
"""2**14 = 16384 is the largest power of two that a signed 16-bit multiplier takes."""
ONE = 1 << WEIGHT_BITS


@dataclass(frozen=True, kw_only=True)
class Taps:
    """The weights of one axis.

    Output pixel i is the sum over k of weights[offset[i] + k] * source[start[i] + k], for k from 0
    to offset[i + 1] - offset[i] - 1.

    Attributes:
        source_size: pixels along the source axis.
        start: (out,) int32, the first source pixel of each output pixel.
        offset: (out + 1,) int32, where each output pixel's weights begin.
        weights: (offset[-1],) int16, 0 to 2**14.
    """

    source_size: int
    start: NDArray[np.int32]
    offset: NDArray[np.int32]
    weights: NDArray[np.int16]

    @property
    def output_size(self) -> int:
        """Pixels along the output axis."""
        return len(self.start)

    @property
    def is_identity(self) -> bool:
        """True where each output pixel is its source pixel."""
        return self.source_size == self.output_size and len(self.weights) == self.output_size

    def padded(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return (out, k) source indices and weights, k the longest run; spare weights are 0."""
        counts = np.diff(self.offset)
        k = np.arange(counts.max())
        used = k < counts[:, None]
        indices = np.minimum(self.start[:, None].astype(np.int64) + k, self.source_size - 1)
        weights = np.zeros(used.shape, np.int32)
        weights[used] = self.weights
        return indices, weights


@lru_cache(maxsize=64)
def make_taps(source_size: int, output_size: int, kernel: ResizeKernel) -> Taps:
    """Compute the weights of one axis.

    `area` on a shrinking axis gives each output pixel the mean of the interval that it covers
    (the box filter, exact up to the weights' rounding); every other case is linear interpolation
    between half-pixel centres, clamped at the edges.
    """
    if source_size < 1 or output_size < 1:
        raise ValueError(f"axis of {source_size} -> {output_size} pixels, expected sizes from 1")
    if source_size == output_size:
        runs = [(i, [ONE]) for i in range(output_size)]
    elif kernel == "area" and source_size > output_size:
        runs = [_area_run(i, source_size, output_size) for i in range(output_size)]
    else:
        runs = [_linear_run(i, source_size, output_size) for i in range(output_size)]
    offset = np.cumsum([0] + [len(weights) for _, weights in runs])
    return Taps(
        source_size=source_size,
        start=np.array([start for start, _ in runs], np.int32),
        offset=offset.astype(np.int32),
        weights=np.array([w for _, weights in runs for w in weights], np.int16),
    )


def _area_run(i: int, source_size: int, output_size: int) -> tuple[int, list[int]]:
    """Return the first source pixel and the weights of output pixel i.

    In units of 1/output_size source pixels, output pixel i covers [i * source_size,
    (i + 1) * source_size) and source pixel j covers [j * output_size, (j + 1) * output_size).
    Rounding the running sum rather than each weight keeps the total at exactly 2**14.
    """
    begin, end = i * source_size, (i + 1) * source_size
    first, last = begin // output_size, (end - 1) // output_size
    weights, before = [], 0
    for j in range(first, last + 1):
        covered = min(end, (j + 1) * output_size) - begin
        total = (covered * ONE + source_size // 2) // source_size
        weights.append(total - before)
        before = total
    return first, weights


def _linear_run(i: int, source_size: int, output_size: int) -> tuple[int, list[int]]:
    """Return the first source pixel and the weights of output pixel i.

    The centre of output pixel i is at (i + 1/2) * source_size / output_size - 1/2.
    """
    numerator, denominator = (2 * i + 1) * source_size - output_size, 2 * output_size
    left, remainder = divmod(numerator, denominator)
    right_weight = (2 * remainder * ONE + denominator) // (2 * denominator)
    if left < 0:
        return 0, [ONE]
    if left >= source_size - 1:
        return source_size - 1, [ONE]
    return left, [ONE - right_weight, right_weight]
