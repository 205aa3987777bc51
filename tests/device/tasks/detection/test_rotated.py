"""Turned boxes: corners, the way into the frame, smoothing and drawing."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.outputs.drawing.draw import PictureCanvas
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.rotated import (
    turned_corners,
    turned_overlaps,
    turned_to_frame,
)

BOX = np.array([[10.0, 20.0, 50.0, 40.0]])


def test_boxes_turn_clockwise_about_their_centres() -> None:
    upright = turned_corners(BOX, np.zeros(1))
    assert upright.tolist() == [[[10, 20], [50, 20], [50, 40], [10, 40]]]
    quarter = turned_corners(BOX, np.array([np.pi / 2]))
    assert quarter[0] == pytest.approx(np.array([[40, 10], [40, 50], [20, 50], [20, 10]]))


@given(angle=st.floats(-3, 3), width=st.integers(20, 200), height=st.integers(20, 200))
def test_in_the_frame_the_corners_are_those_of_the_box(
    angle: float, width: int, height: int
) -> None:
    # Without distortion: a square in a square.
    placement = place(PreprocessSpec(size=(100, 100)), (width, width))
    angles = np.array([angle])
    boxes, turned = turned_to_frame(BOX, angles, placement)
    expected = placement.to_frame(turned_corners(BOX, angles))
    assert turned_corners(boxes, turned) == pytest.approx(expected, abs=1e-6)
    # Stretched: the middle line along the box is where it was.
    placement = place(PreprocessSpec(size=(100, 100)), (width, height))
    boxes, turned = turned_to_frame(BOX, angles, placement)
    corners = placement.to_frame(turned_corners(BOX, angles))[0]
    there = turned_corners(boxes, turned)[0]
    for first, second in ((1, 2), (0, 3)):
        assert (there[first] + there[second]) / 2 == pytest.approx(
            (corners[first] + corners[second]) / 2, abs=1e-6
        )


BOXES = st.tuples(*[st.floats(0, 60)] * 2, *[st.floats(1, 40)] * 2, st.floats(-4, 4))


def pair(
    first: tuple[float, ...], second: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in (first, second)])
    return boxes, np.array([first[4], second[4]])


@given(BOXES, BOXES)
def test_overlaps_are_the_same_both_ways(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    boxes, angles = pair(first, second)
    (there,) = turned_overlaps(boxes[0], angles[0], boxes[1:], angles[1:])
    (back,) = turned_overlaps(boxes[1], angles[1], boxes[:1], angles[:1])
    assert 0 <= there <= 1
    assert there == pytest.approx(back, abs=1e-6)
    own = turned_overlaps(boxes[0], angles[0], boxes[:1], angles[:1])
    assert own.tolist() == pytest.approx([1.0], abs=1e-6)


def test_overlaps_are_those_of_opencvs_polygons() -> None:
    # Seeded: of boxes with a side in common OpenCV's own are wrong now and then.
    random = np.random.default_rng(0)
    for _ in range(300):
        one, other = (
            (*random.uniform(0, 30, 2), *random.uniform(1, 40, 2), random.uniform(-4, 4))
            for _ in range(2)
        )
        boxes, angles = pair(one, other)
        corners = turned_corners(boxes, angles).astype(np.float32)
        shared, _ = cv2.intersectConvexConvex(corners[0], corners[1])
        expected = shared / (one[2] * one[3] + other[2] * other[3] - shared)
        found = turned_overlaps(boxes[0], angles[0], boxes[1:], angles[1:])
        assert found[0] == pytest.approx(expected, abs=1e-5)


def found() -> Detections:
    return Detections(
        labels=("ship",),
        boxes=np.array([[20.0, 40, 60, 60], [40, 2, 60, 12]]),
        classes=np.array([0, 0]),
        scores=np.array([0.9, 0.8]),
        size=(100, 100),
        placing=partial(place, PreprocessSpec(size=(100, 100), crop="letterbox")),
        angles=np.array([0.5, 0.1]),
    )


def test_objects_outside_the_frame_are_left_out_and_others_are_not_cut() -> None:
    # 200 x 100 fills rows 25 to 75 of the model's image.
    answer = found().in_frame((200, 100))
    assert answer.boxes.tolist() == [pytest.approx([40, 30, 120, 70])]
    assert answer.angles is not None
    assert answer.angles.tolist() == pytest.approx([0.5])
    document = answer.to_json()["detections"][0]  # type: ignore[index]
    assert document["angle"] == 0.5
    assert np.mean(document["corners"], axis=0).tolist() == pytest.approx([80, 50])


def test_an_answer_smoothed_has_the_angles_of_its_boxes() -> None:
    now = found()
    before = Detections(**{**vars(now), "angles": np.array([0.4, 0.2])})
    smoothed = now.smoothed([before, before])
    assert smoothed.angles is not None
    assert smoothed.angles.tolist() == [0.5, 0.1]


def test_they_are_drawn_along_their_sides() -> None:
    picture = np.zeros((500, 500, 3), np.uint8)
    found().draw(PictureCanvas(picture), None)
    middle = turned_corners(np.array([[100.0, 200, 300, 300]]), np.array([0.5]))[0, 1:3].mean(0)
    x, y = np.rint(middle).astype(int)
    assert picture[y - 3 : y + 4, x - 3 : x + 4].any()
    assert not picture[285:299, 105:140].any()  # where a corner would be that is not turned
