"""The resampler against exact arithmetic; the native one is held to it in test_native."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.preprocess.resample import resample
from edgeinfer.device.preprocess.taps import make_taps


def random_image(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Half noise, half extreme values, where rounding and overflow would show."""
    generator = np.random.default_rng(seed)
    noise = generator.integers(0, 256, (height, width, 3), np.uint8)
    extreme = generator.integers(0, 2, (height, width, 3), np.uint8) * np.uint8(255)
    return np.where(generator.random((height, width, 1)) < 0.5, noise, extreme)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    source=st.tuples(st.integers(2, 40), st.integers(2, 40)),
    output=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_area_is_within_one_step_of_exact_arithmetic(
    seed: int, source: tuple[int, int], output: tuple[int, int]
) -> None:
    (height, width), (out_height, out_width) = (
        source,
        (
            min(source[0], output[0]),
            min(source[1], output[1]),
        ),
    )
    image = random_image(seed, height, width)
    got = resample(
        image, make_taps(height, out_height, "area"), make_taps(width, out_width, "area")
    )
    rows, columns = overlaps(height, out_height), overlaps(width, out_width)
    scale = Fraction(out_height * out_width, height * width)
    for y in range(out_height):
        for x in range(out_width):
            exact = scale * sum(
                wy * wx * int(image[j, i, 0]) for j, wy in rows[y] for i, wx in columns[x]
            )
            assert abs(int(got[y, x, 0]) - exact) < 1


def overlaps(source: int, output: int) -> list[list[tuple[int, Fraction]]]:
    """For each output pixel, the source pixels that it covers and how much of each."""
    runs = []
    for i in range(output):
        begin, end = Fraction(i * source, output), Fraction((i + 1) * source, output)
        covered = [
            (j, min(end, Fraction(j + 1)) - max(begin, Fraction(j)))
            for j in range(int(begin), source)
            if j < end
        ]
        runs.append(covered)
    return runs


def test_area_agrees_with_opencv_on_a_camera_frame() -> None:
    image = random_image(1, 720, 1280)
    ours = resample(image, make_taps(720, 224, "area"), make_taps(1280, 224, "area"))
    theirs = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
    # Both round: OpenCV from floats, we from integers.
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_flat_image_stays_flat(value: int) -> None:
    image = np.full((37, 53, 3), value, np.uint8)
    for kernel in ("area", "bilinear"):
        for size in ((11, 7), (80, 90)):
            rows, columns = make_taps(37, size[0], kernel), make_taps(53, size[1], kernel)
            assert (resample(image, rows, columns) == value).all()


def test_weights_for_another_size_are_refused() -> None:
    rows, columns = make_taps(8, 4, "area"), make_taps(8, 4, "area")
    with pytest.raises(ValueError, match="expected"):
        resample(random_image(0, 9, 8), rows, columns)
