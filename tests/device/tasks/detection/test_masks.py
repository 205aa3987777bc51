"""Masks of objects: from prototypes to a grid over each box, cropped, painted and drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.outputs.drawing.draw import PictureCanvas
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.detection.masks import ObjectMask, cropped, object_masks, paint
from edgeinfer.device.tasks.detection.prediction import Detections

SIZE = (80, 40)
Reals = NDArray[np.float64]


def masks_of(
    maps: Reals, boxes: list[list[float]], weights: list[float], *, first: bool = False
) -> tuple[ObjectMask, ...]:
    output = maps[None].astype(np.float32)
    tensor = TensorSpec(name="x", shape=output.shape, dtype="float32")
    coefficients = np.array([weights] * len(boxes))
    return object_masks(
        coefficients, output, tensor, np.array(boxes), channels_first=first, size=SIZE
    )


def disc() -> Reals:
    """A disc of 20 pixels' diameter around (40, 20), in prototypes of 20 x 10 cells."""
    y, x = (np.mgrid[:10, :20] + 0.5) * 4
    depth: Reals = 10 - np.hypot(x - 40, y - 20)
    return depth[..., None]


def test_a_mask_covers_what_the_prototypes_say() -> None:
    (mask,) = masks_of(disc(), [[20.0, 0.0, 60.0, 40.0]], [1.0])
    assert mask.shape == (20, 20)
    assert mask.mean() * 1600 == pytest.approx(np.pi * 100, rel=0.1)
    assert (mask == mask[::-1]).all()
    assert (mask == mask[:, ::-1]).all()
    (other,) = masks_of(disc(), [[20.0, 0.0, 60.0, 40.0]], [-1.0])
    assert (other != mask).mean() > 0.95
    (first,) = masks_of(np.moveaxis(disc(), 2, 0), [[20.0, 0.0, 60.0, 40.0]], [1.0], first=True)
    assert (first == mask).all()


def test_a_box_beyond_the_picture_and_one_of_less_than_a_cell() -> None:
    beyond, small = masks_of(disc(), [[-400.0, -400.0, 400.0, 400.0], [39.0, 19, 39.5, 19.2]], [1])
    assert beyond.shape == (20, 40)  # no finer than twice the prototypes
    assert small.tolist() == [[1]]


def test_a_crop_keeps_the_rest_in_its_place() -> None:
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4)
    box = np.array([0.0, 0, 40, 30])
    assert cropped(mask, box, np.array([10.0, 10, 40, 30])).tolist() == [[5, 6, 7], [9, 10, 11]]
    assert cropped(mask, box, box) is mask
    assert cropped(mask, box, np.array([11.0, 11, 12, 12])).tolist() == [[5]]


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    box=st.tuples(*[st.floats(-50, 150, width=32)] * 4),
)
def test_any_box_is_painted_within_the_picture(
    rows: int, columns: int, box: tuple[float, float, float, float]
) -> None:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        return
    mask = np.ones((rows, columns), np.uint8)
    painted = paint([mask], np.array([box]), (60, 40))
    assert painted.shape == (40, 60)
    y, x = np.mgrid[:40, :60] + 0.5
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    assert (painted[inside] == 1).all()
    assert painted[~inside].sum() == 0


def found(*, placing: bool = True) -> Detections:
    left = np.zeros((4, 4), np.uint8)
    left[:, :2] = 1
    return Detections(
        labels=("cat", "dog"),
        boxes=np.array([[0.0, 0.0, 40.0, 40.0], [60.0, 20.0, 80.0, 40.0]]),
        classes=np.array([1, 0]),
        scores=np.array([0.9, 0.8]),
        size=SIZE,
        placing=partial(place, PreprocessSpec(size=SIZE, crop="letterbox")) if placing else None,
        masks=(left, np.ones((2, 2), np.uint8)),
    )


def test_masks_go_with_their_boxes_into_the_frame() -> None:
    # 40 x 40 fills columns 20 to 60: half of the first box is left, the second is outside.
    answer = found().in_frame((40, 40))
    assert answer.boxes.tolist() == [[0, 0, 20, 40]]
    assert answer.masks is not None
    assert [mask.tolist() for mask in answer.masks] == [[[0, 0]] * 4]
    assert answer.areas is not None
    assert answer.areas.tolist() == [0]


def test_areas_are_parts_of_the_picture() -> None:
    answer = found()
    assert answer.areas is not None
    assert answer.areas.tolist() == [0.25, 0.125]
    assert answer.to_json()["detections"][0]["area"] == 0.25  # type: ignore[index]


def test_an_answer_smoothed_has_the_masks_of_its_boxes() -> None:
    before, now = found(), found()
    smoothed = now.smoothed([before, before])
    assert now.goes_on(before)
    assert smoothed.masks is not None
    assert [mask.shape for mask in smoothed.masks] == [(4, 4), (2, 2)]
    plain = Detections(**{**vars(now), "masks": None})
    assert not plain.goes_on(now)


def test_they_are_drawn_where_they_are() -> None:
    picture = np.zeros((400, 800, 3), np.uint8)
    found(placing=False).draw(PictureCanvas(picture), None)
    assert picture[200, 100].any()  # the left half of the first box
    assert not picture[200, 300].any()  # its right half
    assert picture[300, 700].any()
    assert not picture[100, 700].any()


def test_masks_for_other_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        Detections(**{**vars(found()), "masks": ()})
