from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeinfer.device.types import Frame, FrameFormat, TensorSpec


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


@pytest.mark.parametrize(
    "wrong", [{"dtype": "int4"}, {"shape": (1, 0)}, {"scale": -1.0}, {"scale": float("inf")}]
)
def test_impossible_tensors_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"tensor 'image'.*expected"):
        TensorSpec(**{"name": "image", "shape": (1, 2), "dtype": "int8", **wrong})  # type: ignore[arg-type]


def test_quantized_values_become_real_ones() -> None:
    spec = TensorSpec(name="x", shape=(2,), dtype="int8", scale=0.5, zero_point=-3)
    assert spec.dequantize(np.array([-3, 1], np.int8)).tolist() == [0.0, 2.0]
    plain = TensorSpec(name="x", shape=(1,), dtype="float32")
    assert plain.dequantize(np.array([1.5], np.float32)).tolist() == [1.5]
