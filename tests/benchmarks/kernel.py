"""The native pass against OpenCV's calls, one thread: frame to int8 tensor, and its exactness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from tests.benchmarks.measure import Row, interleaved, ratio, seconds_per_call

SIZE = (224, 224)
# What Keras' converter makes of inputs from -1 to 1; a general table, no plain offset.
SPEC = PreprocessSpec(size=SIZE)
TENSOR = TensorSpec(
    name="image", shape=(1, *SPEC.shape), dtype="int8", scale=1 / 127.5, zero_point=0
)


def opencv_tensor(frame: NDArray[np.uint8], conversion: int) -> NDArray[np.int8]:
    """Prepare a frame with OpenCV: colour, INTER_AREA, and a quantization of one subtraction."""
    if frame.shape[2] == 2:
        picture = cv2.resize(cv2.cvtColor(frame, conversion), SIZE, interpolation=cv2.INTER_AREA)
    else:
        picture = cv2.cvtColor(cv2.resize(frame, SIZE, interpolation=cv2.INTER_AREA), conversion)
    return quantize(picture)


def quantize(picture: NDArray[Any]) -> NDArray[np.int8]:
    """Subtract 128: the simplest quantization."""
    return (picture.astype(np.int16) - 128).astype(np.int8)


def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int,
            calls: int = 40, wanted: str = "") -> Row:  # fmt: skip
    """Compare two ways of preparing a frame; the ratio says how many times as fast ours is."""
    figures = interleaved(
        {
            "ours": lambda: seconds_per_call(ours, calls),
            "theirs": lambda: seconds_per_call(theirs, calls),
        },
        repeats,
    )
    middle = repeats // 2
    return Row(
        what=what,
        figure=f"{1e3 * sorted(figures['ours'])[middle]:.3f} ms",
        compared_with=f"OpenCV {1e3 * sorted(figures['theirs'])[middle]:.2f} ms",
        ratio=ratio(figures["theirs"], figures["ours"]),
        wanted=wanted,
    )


def largest_error(frame: NDArray[np.uint8], tensor: NDArray[np.int8], places: int = 60) -> float:
    """Return the largest distance of our tensor from exact rational arithmetic, in steps.

    Args:
        frame: (H, W, 3) uint8 BGR.
        tensor: (1, h, w, 3) int8 RGB, the pixel values minus 128.
        places: how many outputs are computed exactly, spread by a seeded draw.
    """
    height, width = frame.shape[:2]
    random = np.random.default_rng(1)
    worst = 0.0
    for _ in range(places):
        y, x, c = (
            int(random.integers(SIZE[1])),
            int(random.integers(SIZE[0])),
            int(random.integers(3)),
        )
        total = sum(
            wy * wx * int(frame[j, i, 2 - c])
            for j, wy in _overlap(y, height, SIZE[1])
            for i, wx in _overlap(x, width, SIZE[0])
        )
        exact = total * Fraction(SIZE[0] * SIZE[1], width * height)
        worst = max(worst, abs(float(exact - 128 - int(tensor[0, y, x, c]))))
    return worst


def _overlap(i: int, source: int, output: int) -> list[tuple[int, Fraction]]:
    """Return the source pixels under output pixel i and how much of each is covered."""
    begin, end = Fraction(i * source, output), Fraction((i + 1) * source, output)
    return [
        (j, min(end, Fraction(j + 1)) - max(begin, Fraction(j)))
        for j in range(int(begin), source)
        if j < end
    ]


def rows(repeats: int = 9) -> list[Row]:
    """Return this benchmark's part of the table."""
    cv2.setNumThreads(1)
    random = np.random.default_rng(0)
    bgr = random.integers(0, 256, (720, 1280, 3), np.uint8)
    yuyv = random.integers(0, 256, (480, 640, 2), np.uint8)
    preprocessor = Preprocessor(SPEC, TENSOR, native=True)
    out = preprocessor.empty()

    def prepare(frame: NDArray[np.uint8], pixel_format: PixelFormat) -> Callable[[], object]:
        return lambda: preprocessor.tensor(frame, pixel_format, out=out)

    found = [
        compare(
            "kernel: 1280x720 BGR to 224x224 int8, area",
            prepare(bgr, "bgr"),
            lambda: opencv_tensor(bgr, cv2.COLOR_BGR2RGB),
            repeats=repeats,
            wanted="8 or more",
        ),
        compare(
            "kernel: 640x480 YUYV to 224x224 int8, area",
            prepare(yuyv, "yuyv"),
            lambda: opencv_tensor(yuyv, cv2.COLOR_YUV2RGB_YUYV),
            repeats=repeats,
        ),
    ]
    offset = PreprocessSpec(size=SIZE, mean=(128.0,) * 3, std=(128.0,) * 3)
    exact = Preprocessor(offset, replace(TENSOR, scale=1 / 128), native=True)
    error = largest_error(bgr, exact.tensor(bgr, "bgr").astype(np.int8))
    return [
        *found,
        Row(
            what="kernel: largest distance from exact arithmetic, 60 drawn outputs",
            figure=f"{error:.2f} steps",
            wanted="1 or less",
        ),
    ]
