from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.types import Detections, Frame, FrameFormat, TensorSpec, Value


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


def test_a_frame_knows_its_size_in_every_format() -> None:
    picture = np.zeros((16, 24, 3), np.uint8)
    assert Frame(pixels=picture, sequence=0, captured_ns=0).size == (24, 16)
    yuyv = Frame(pixels=np.zeros((16, 24, 2), np.uint8), format="yuyv", sequence=0, captured_ns=0)
    assert yuyv.size == (24, 16)
    jpeg = cv2.imencode(".jpg", picture)[1].reshape(-1)
    assert Frame(pixels=jpeg, format="jpeg", sequence=0, captured_ns=0).size == (24, 16)
    with pytest.raises(ImageError, match="cannot be decoded"):
        _ = Frame(pixels=jpeg[:20], format="jpeg", sequence=0, captured_ns=0).size


def test_predictions_with_places_are_moved_into_the_frame() -> None:
    spec = PreprocessSpec(size=(10, 10))
    found = Detections(
        labels=("cat",),
        boxes=np.array([[0.0, 5.0, 10.0, 10.0]]),
        classes=np.array([0]),
        scores=np.array([0.5]),
        size=(10, 10),
        placing=partial(place, spec),
    )
    frame = Frame(pixels=np.zeros((16, 24, 3), np.uint8), sequence=0, captured_ns=0)
    placed = frame.locate(found)
    assert isinstance(placed, Detections)
    assert (placed.size, placed.boxes.tolist()) == ((24, 16), [[0, 8, 24, 16]])
    value = Value(value=1.0, unit="bar")
    assert frame.locate(value) is value
