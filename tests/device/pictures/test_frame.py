from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.frame import Frame, FrameFormat


@pytest.mark.parametrize(
    ("pixel_format", "shape"),
    [
        ("rgb", (4, 4)),
        ("rgb", (4, 4, 4)),
        ("grey", (4, 4, 1)),
        ("yuyv", (4, 5, 2)),
        ("jpeg", (4, 4)),
    ],
)
def test_pixels_of_another_format_are_refused(
    pixel_format: FrameFormat, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        Frame(pixels=np.zeros(shape, np.uint8), format=pixel_format, sequence=0, captured_ns=0)


def test_any_frame_gives_rgb() -> None:
    grey = np.array([[7, 9]], np.uint8)
    frame = Frame(pixels=grey, format="grey", sequence=0, captured_ns=0)
    assert frame.rgb().tolist() == [[[7, 7, 7], [9, 9, 9]]]
    flat = np.full((16, 16, 3), (10, 200, 90), np.uint8)
    jpeg = cv2.imencode(".jpg", flat)[1].reshape(-1)
    decoded = Frame(pixels=jpeg, format="jpeg", sequence=0, captured_ns=0).rgb()
    assert np.abs(decoded.astype(int) - (90, 200, 10)).max() <= 4


def test_a_frame_knows_its_size_in_every_format() -> None:
    picture = np.zeros((16, 24, 3), np.uint8)
    assert Frame(pixels=picture, sequence=0, captured_ns=0).size == (24, 16)
    yuyv = Frame(pixels=np.zeros((16, 24, 2), np.uint8), format="yuyv", sequence=0, captured_ns=0)
    assert yuyv.size == (24, 16)
    jpeg = cv2.imencode(".jpg", picture)[1].reshape(-1)
    assert Frame(pixels=jpeg, format="jpeg", sequence=0, captured_ns=0).size == (24, 16)
    with pytest.raises(ImageError, match="cannot be decoded"):
        _ = Frame(pixels=jpeg[:20], format="jpeg", sequence=0, captured_ns=0).size
