"""Camera formats to RGB, against exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import PixelFormat, picture_shape, picture_size, to_rgb


def exact_rgb(y: float, u: float, v: float) -> NDArray[np.float64]:
    """ITU-R BT.601, studio range."""
    luma, du, dv = 255 / 219 * (y - 16), u - 128, v - 128
    rgb = np.array(
        [
            luma + 255 / 224 * 1.402 * dv,
            luma - 255 / 224 * (1.772 * 0.114 / 0.587 * du + 1.402 * 0.299 / 0.587 * dv),
            luma + 255 / 224 * 1.772 * du,
        ]
    )
    return np.clip(rgb, 0, 255)


def test_yuv_is_within_one_step_of_exact_arithmetic() -> None:
    for u in range(0, 256, 15):
        for v in range(0, 256, 15):
            luma = np.arange(0, 256, 5)
            pairs = np.stack(
                [
                    np.stack([luma, np.full_like(luma, u)], 1),
                    np.stack([luma, np.full_like(luma, v)], 1),
                ],
                axis=1,
            ).astype(np.uint8)
            got = to_rgb(pairs.reshape(len(luma), 2, 2), "yuyv")
            exact = np.array([exact_rgb(y, u, v) for y in luma])
            assert np.abs(got[:, 0] - exact).max() < 1
            assert np.abs(got[:, 1] - exact).max() < 1


@pytest.mark.parametrize(
    ("yuv", "expected"),
    [((16, 128, 128), (0, 0, 0)), ((235, 128, 128), (255, 255, 255)), ((81, 90, 240), (255, 0, 0))],
)
def test_the_standards_own_colours(yuv: tuple[int, ...], expected: tuple[int, ...]) -> None:
    y, u, v = yuv
    pixels = np.array([[[y, u], [y, v]]], np.uint8)
    assert np.abs(to_rgb(pixels, "yuyv").astype(int) - expected).max() <= 1


def test_nv12_holds_the_same_as_yuyv() -> None:
    generator = np.random.default_rng(0)
    luma = generator.integers(0, 256, (4, 6), np.uint8)
    chroma = generator.integers(0, 256, (2, 6), np.uint8)
    yuyv = np.stack([luma, np.repeat(chroma, 2, axis=0)], axis=2)
    nv12 = np.concatenate([luma, chroma])
    np.testing.assert_array_equal(to_rgb(nv12, "nv12"), to_rgb(yuyv, "yuyv"))


@pytest.mark.parametrize(
    ("pixel_format", "shape", "size"),
    [
        ("rgb", (3, 5, 3), (5, 3)),
        ("grey", (3, 5), (5, 3)),
        ("yuyv", (3, 6, 2), (6, 3)),
        ("nv12", (6, 8), (8, 4)),
    ],
)
def test_sizes_are_width_and_height(
    pixel_format: PixelFormat, shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    assert picture_size(np.zeros(shape, np.uint8), pixel_format) == size
    assert picture_shape(size, pixel_format) == shape


@pytest.mark.parametrize(
    ("pixel_format", "shape"),
    [
        ("rgb", (3, 5)),
        ("bgr", (3, 5, 4)),
        ("grey", (3, 5, 1)),
        ("yuyv", (3, 5, 2)),
        ("nv12", (7, 8)),
        ("nv12", (6, 7)),
        ("rgb", (0, 5, 3)),
    ],
)
def test_other_shapes_are_refused(pixel_format: PixelFormat, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=f"expected a picture in {pixel_format}"):
        picture_size(np.zeros(shape, np.uint8), pixel_format)


def test_pixels_of_another_dtype_are_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        picture_size(np.zeros((3, 5, 3), np.float32), "rgb")
