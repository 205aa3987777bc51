"""The fixed-point weights against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.preprocess.spec import ResizeKernel
from edgeinfer.device.preprocess.taps import ONE, make_taps

sizes = st.integers(1, 300)
kernels = st.sampled_from(["area", "bilinear"])


@given(sizes, sizes, kernels)
def test_weights_sum_to_one_and_stay_inside(source: int, output: int, kernel: ResizeKernel) -> None:
    taps = make_taps(source, output, kernel)
    counts = np.diff(taps.offset)
    assert taps.output_size == output
    assert (np.add.reduceat(taps.weights.astype(np.int64), taps.offset[:-1]) == ONE).all()
    assert (taps.weights >= 0).all()
    assert (taps.start >= 0).all()
    assert (taps.start + counts <= source).all()


@given(sizes, sizes)
def test_area_weights_are_the_exact_overlaps_rounded(source: int, output: int) -> None:
    if source <= output:
        return
    taps = make_taps(source, output, "area")
    for i in range(output):
        begin, end = Fraction(i * source, output), Fraction((i + 1) * source, output)
        for k in range(taps.offset[i], taps.offset[i + 1]):
            j = int(taps.start[i]) + k - int(taps.offset[i])
            overlap = min(end, Fraction(j + 1)) - max(begin, Fraction(j))
            exact = overlap / (end - begin) * ONE
            # Two rounded running sums differ by less than one from the exact difference.
            assert abs(int(taps.weights[k]) - exact) <= 1


def test_equal_sizes_copy() -> None:
    assert make_taps(17, 17, "area").is_identity
    assert make_taps(17, 17, "bilinear").is_identity
    assert not make_taps(34, 17, "bilinear").is_identity


def test_bilinear_upscale_by_two_takes_quarters() -> None:
    taps = make_taps(3, 6, "bilinear")
    runs = [taps.weights[a:b].tolist() for a, b in zip(taps.offset, taps.offset[1:], strict=False)]
    quarter = ONE // 4
    assert runs[1] == [3 * quarter, quarter]
    assert runs[2] == [quarter, 3 * quarter]
    assert runs[0] == runs[5] == [ONE]


def test_an_empty_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="expected sizes from 1"):
        make_taps(0, 5, "area")
