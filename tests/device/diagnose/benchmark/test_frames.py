from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.benchmark import frames as frames_module
from edgeinfer.device.diagnose.benchmark.frames import (
    MAX_SIDE,
    check_size,
    encode_frame,
    make_frames,
)
from edgeinfer.device.pictures.frame import FrameFormat
from edgeinfer.device.pictures.pixel_formats import Pixels, picture_size

FORMATS: tuple[FrameFormat, ...] = get_args(FrameFormat)
SLACK: dict[str, int] = {"rgb": 0, "bgr": 0, "grey": 0, "yuyv": 4, "nv12": 4, "jpeg": 12}
"""Grey levels that a grey picture may lose: chroma rounding, and JPEG's quantization."""


def soft_grey(width: int, height: int) -> Pixels:
    ramp = np.linspace(30, 220, width).astype(np.uint8)
    return np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2)


@pytest.mark.parametrize("frame_format", FORMATS)
@given(width=st.integers(1, 40), height=st.integers(1, 40))
def test_frames_hold_the_picture_in_their_format(
    frame_format: FrameFormat, width: int, height: int
) -> None:
    picture = soft_grey(width * 2, height * 2)
    (frame,) = make_frames([picture], (width * 2, height * 2), frame_format)
    assert frame.format == frame_format
    assert frame.rgb().shape == picture.shape
    difference = np.abs(frame.rgb().astype(int) - picture)
    assert difference.max() <= SLACK[frame_format]
    if frame_format != "jpeg":
        assert picture_size(frame.pixels, frame_format) == (width * 2, height * 2)


@pytest.mark.parametrize("frame_format", ["yuyv", "nv12", "bgr", "jpeg"])
def test_red_and_blue_keep_their_places(frame_format: FrameFormat) -> None:
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, :32, 0] = picture[:, 32:, 2] = 250
    (frame,) = make_frames([picture], (64, 32), frame_format)
    left, right = frame.rgb()[16, 8].astype(int), frame.rgb()[16, 56].astype(int)
    assert left[0] > left[2] + 150
    assert right[2] > right[0] + 150


def test_noise_is_the_same_every_time_and_no_flat_picture() -> None:
    (first,), (again,) = make_frames([], (64, 48), "rgb"), make_frames([], (64, 48), "rgb")
    assert np.array_equal(first.pixels, again.pixels)
    assert first.pixels.std() > 20


def test_many_large_pictures_stay_within_a_small_boards_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames_module, "_MOST_BYTES", 3 * 64 * 48 * 3)
    assert len(make_frames([soft_grey(8, 8)] * 10, (64, 48), "rgb")) == 3
    assert len(make_frames([soft_grey(8, 8)] * 10, (640, 480), "rgb")) == 1


@pytest.mark.parametrize(
    ("size", "frame_format", "words"),
    [
        ((0, 480), "bgr", "frame is 0x480, expected sides of 1 to"),
        ((640, MAX_SIDE + 1), "bgr", "expected sides of 1 to"),
        ((641, 480), "yuyv", "frame is 641x480, expected even sides for yuyv"),
        ((640, 481), "nv12", "expected even sides for nv12"),
    ],
)
def test_impossible_sizes(size: tuple[int, int], frame_format: FrameFormat, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_size(size, frame_format)
    with pytest.raises(ValueError, match=words):
        make_frames([], size, frame_format)


def test_a_jpeg_is_whole() -> None:
    data = encode_frame(soft_grey(64, 48), "jpeg")
    assert data.ndim == 1
    assert data[:2].tobytes() == b"\xff\xd8"
    assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (48, 64, 3)
