"""A detector's outputs to objects: order, forms, thresholds, and whatever a model may give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder, DetectionSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog")
SIZE = (200, 100)
SPECS = (
    TensorSpec(name="boxes", shape=(1, 3, 4), dtype="float32"),
    TensorSpec(name="classes", shape=(1, 3), dtype="float32"),
    TensorSpec(name="scores", shape=(1, 3), dtype="float32"),
    TensorSpec(name="count", shape=(1,), dtype="float32"),
)
OUTPUTS = (
    np.array([[[0.1, 0.2, 0.5, 0.6], [0, 0, 1, 1], [0, 0, 0.5, 0.5]]], np.float32),
    np.array([[1, 0, 1]], np.float32),
    np.array([[0.6, 0.9, 0.8]], np.float32),
    np.array([2], np.float32),
)


def decode(
    outputs: Any = OUTPUTS,
    spec: DetectionSpec | None = None,
    tensors: tuple[TensorSpec, ...] = SPECS,
) -> Detections:
    answer = make_decode(
        "detection",
        Said(labels=LABELS, decoder=Decoder(detection=spec or DetectionSpec())),
        tensors,
        PreprocessSpec(size=SIZE),
    )(outputs)
    assert isinstance(answer, Detections)
    return answer


def test_the_surest_comes_first_and_what_is_not_counted_is_left_out() -> None:
    found = decode()
    assert found.names == ["cat", "dog"]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.boxes.tolist() == [[0, 0, 200, 100], pytest.approx([40, 10, 120, 50])]
    assert len(decode(spec=DetectionSpec(count=None))) == 3
    assert decode(spec=DetectionSpec(min_score=0.7)).names == ["cat"]


def test_a_signalling_nan_behind_the_count_warns_of_nothing() -> None:
    boxes = OUTPUTS[0].copy()
    boxes.view(np.uint32)[0, 2, :] = 0x7FA00000
    assert decode((boxes, *OUTPUTS[1:])).names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("spec", "box"),
    [
        (DetectionSpec(order=(0, 1, 2, 3)), [20, 20, 100, 60]),
        (DetectionSpec(order=(0, 1, 2, 3), form="corner-size"), [20, 20, 120, 80]),
        (DetectionSpec(order=(0, 1, 2, 3), form="center-size"), [-30, -10, 70, 50]),
        (DetectionSpec(unit="pixel"), [0.2, 0.1, 0.6, 0.5]),
    ],
)
def test_boxes_are_written_in_many_ways(spec: DetectionSpec, box: list[float]) -> None:
    assert decode(spec=spec).boxes[-1].tolist() == pytest.approx(box)


def test_quantized_outputs_and_another_order() -> None:
    scores = TensorSpec(name="s", shape=(1, 3), dtype="uint8", scale=1 / 256, zero_point=0)
    tensors = (scores, SPECS[0], SPECS[3], SPECS[1])
    outputs = (np.array([[0, 192, 0]], np.uint8), OUTPUTS[0], OUTPUTS[3], OUTPUTS[1])
    found = decode(outputs, DetectionSpec(scores=0, boxes=1, count=2, classes=3), tensors)
    assert (found.names, found.scores.tolist()) == (["cat"], [0.75])


def test_classes_may_be_counted_from_elsewhere() -> None:
    found = decode(spec=DetectionSpec(first_class=1))
    assert found.names == ["class -1", "cat"]


@given(st.lists(st.floats(width=32), min_size=12 + 3 + 3 + 1, max_size=12 + 3 + 3 + 1))
def test_whatever_a_model_gives_boxes_are_boxes(values: list[float]) -> None:
    flat = np.array(values, np.float32)
    with np.errstate(over="ignore"):
        found = decode(
            (flat[:12].reshape(1, 3, 4), flat[12:15][None], flat[15:18][None], flat[18:])
        )
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert ((found.scores >= 0.5) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) <= 0).all()
    in_frame = found.in_frame((64, 48))
    assert ((in_frame.boxes >= 0) & (in_frame.boxes <= [64, 48, 64, 48])).all()
    assert found.text()


def without(number: int) -> tuple[TensorSpec, ...]:
    return SPECS[:number] + SPECS[number + 1 :]


@pytest.mark.parametrize(
    "tensors",
    [
        SPECS[:3],
        (replace(SPECS[0], shape=(1, 3, 5)), *SPECS[1:]),
        (SPECS[0], replace(SPECS[1], shape=(1, 2)), *SPECS[2:]),
        (*SPECS[:3], replace(SPECS[3], shape=(2,))),
    ],
)
def test_outputs_that_do_not_fit_are_refused(tensors: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode(tensors=tensors)


@pytest.mark.parametrize(
    "wrong",
    [{"boxes": 1}, {"count": -1}, {"order": (0, 0, 1, 2)}, {"min_score": 1.5}],
)
def test_impossible_decoders_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DetectionSpec(**wrong)


def letterbox(width: int, height: int) -> NDArray[np.float64]:
    preprocess = PreprocessSpec(size=(100, 100), crop="letterbox")
    answer = make_decode(
        "detection",
        Said(labels=LABELS, decoder=Decoder(detection=DetectionSpec(count=None))),
        SPECS[:3],
        preprocess,
    )(
        (
            np.array([[[0.25, 0.0, 0.75, 0.5], [0, 0, 1, 1], [0, 0, 0.2, 1]]], np.float32),
            *OUTPUTS[1:3],
        )
    )
    assert isinstance(answer, Detections)
    return answer.in_frame((width, height)).boxes


def test_the_crop_is_undone_and_boxes_outside_the_frame_are_left_out() -> None:
    # 400x200 fills rows 25 to 75 of the model's 100x100: a box above them is none of the frame's.
    boxes = letterbox(400, 200)
    assert boxes.tolist() == [[0, 0, 400, 200], [0, 0, 200, 200]]
