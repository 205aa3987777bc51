"""What is drawn where; that it reads well was looked at."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.drawing.draw import MIN_SIDE, annotate, class_colour
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import UNSEEN, Mask
from edgeinfer.device.tasks.value.prediction import Value

GREY = 110


def drawn(
    prediction: Prediction, *, size: tuple[int, int] = (640, 480), caption: str = ""
) -> NDArray[np.uint8]:
    """Draw on an even grey; return the picture."""
    pixels = np.full((size[1], size[0], 3), GREY, np.uint8)
    frame = Frame(pixels=pixels, sequence=0, captured_ns=0)
    return annotate(Answer(frame=frame, prediction=prediction, age_ms=1.0), caption=caption)


def test_what_the_model_does_not_see_is_dark() -> None:
    frame = Frame(pixels=np.full((480, 640, 3), GREY, np.uint8), sequence=0, captured_ns=0)
    answer = Answer(frame=frame, prediction=objects([]), age_ms=1.0, region=(0.25, 0.25, 0.5, 0.5))
    picture = annotate(answer)
    assert (picture[130:350, 170:470] == GREY).all()
    assert (picture[110, 200:600] == GREY // 2).all()
    assert (picture[121, 200:400] > GREY).any(axis=1).all()  # the line around it
    assert (frame.pixels == GREY).all()


def changed(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((picture != GREY).any(axis=2))


def classified(*labels: str) -> Classification:
    return Classification(labels=labels, probabilities=np.full(len(labels), 1 / len(labels)))


def objects(boxes: Any, size: tuple[int, int] = (640, 480)) -> Detections:
    count = len(boxes)
    return Detections(
        labels=("cat", "dog"),
        boxes=np.asarray(boxes, float).reshape(count, 4),
        classes=np.arange(count),
        scores=np.linspace(0.9, 0.5, count),
        size=size,
    )


def body(points: Any, scores: Any, size: tuple[int, int] = (640, 480)) -> Poses:
    return Poses(
        names=("a", "b"),
        limbs=((0, 1),),
        keypoints=np.asarray(points, float).reshape(1, 2, 2),
        keypoint_scores=np.asarray(scores, float).reshape(1, 2),
        scores=np.array([0.9]),
        size=size,
    )


def test_the_label_is_in_the_upper_left_and_the_caption_at_the_bottom() -> None:
    label = changed(drawn(classified("cat")))
    rows, columns = np.nonzero(label)
    assert (rows.max() < 120, columns.max() < 320, rows.size > 100) == (True, True, True)
    both = changed(drawn(classified("cat"), caption="12:03:05"))
    assert np.nonzero(both & ~label)[0].min() > 420


@pytest.mark.parametrize("side", [1, 8, 32, 100, 240, 480, 1080])
def test_letters_are_readable_at_any_size(side: int) -> None:
    picture = drawn(classified("E"), size=(side, side))
    assert min(picture.shape[:2]) >= MIN_SIDE
    rows = np.nonzero(changed(picture).any(axis=1))[0]
    height = rows.max() - rows.min() + 1
    assert 11 <= height <= max(0.1 * picture.shape[0], 26)


@pytest.mark.parametrize("size", [(9000, 30), (30, 9000), (5000, 1), (1, 5000), (600, 7)])
def test_of_narrow_pictures_the_letters_are_next_to_them(size: tuple[int, int]) -> None:
    picture = drawn(classified("cat"), size=size, caption="12:03:05")
    assert picture.nbytes < 10_000_000
    wide = size[0] > size[1]
    ground = changed(picture) if wide else changed(picture).transpose()
    grey = np.nonzero(~ground.any(axis=1))[0]
    assert grey.tolist() == list(range(grey.size)), "the picture is at one side, and whole"
    scale = picture.shape[1 if wide else 0] / max(size)
    assert grey.size == min(size) * scale
    strip = picture[grey.size :] if wide else picture[:, grey.size :]
    assert (strip.max() > 230, min(strip.shape[:2]) + grey.size) == (True, MIN_SIDE)


def test_boxes_in_narrow_pictures_stand_where_they_belong() -> None:
    picture = drawn(objects([[1000, 5, 4000, 25]], (9000, 30)), size=(9000, 30))
    assert tuple(picture[5, 2500]) == tuple(picture[25, 2500]) == class_colour(0)
    assert tuple(picture[15, 4000]) == class_colour(0)
    assert not changed(picture)[:30, 4100:].any()


def test_masks_in_narrow_pictures_cover_the_picture_alone() -> None:
    cells = np.ones((1, 4), np.uint8)
    mask = Mask(labels=("ground", "bird"), classes=cells, box=(0, 0, 5000, 1), size=(5000, 1))
    picture = drawn(mask, size=(5000, 1))
    assert changed(picture)[0].all()
    expected = 0.55 * GREY + 0.45 * np.array(class_colour(1))
    assert np.abs(picture[0] - expected).max() <= 1
    assert not picture[1].any()


def test_letters_read_on_white_and_on_black() -> None:
    for brightness in (0, 255):
        pixels = np.full((480, 640, 3), brightness, np.uint8)
        frame = Frame(pixels=pixels, sequence=0, captured_ns=0)
        picture = annotate(Answer(frame=frame, prediction=classified("cat"), age_ms=1.0))
        assert (picture.min() < 40, picture.max() > 230) == (True, True)


def test_long_labels_are_cut_at_the_edge() -> None:
    picture = drawn(classified("a very long label " * 20), size=(300, 240))
    assert not changed(picture)[:, -1].any()


def test_labels_in_other_scripts_become_class_numbers() -> None:
    assert (drawn(classified("猫")) == drawn(classified("class 0"))).all()
    assert (drawn(classified("Größe")) == drawn(classified("Groesse"))).all()


@pytest.mark.parametrize("size", [(640, 480), (320, 240)])
def test_boxes_stand_where_they_belong(size: tuple[int, int]) -> None:
    """They are measured in the model's picture, which may have another size than the frame's."""
    box = np.array([100, 200, 300, 400]) * size[0] / 640
    picture = drawn(objects([box], size))
    for row, column in ((200, 200), (400, 200), (300, 100), (300, 300)):
        assert tuple(picture[row, column]) == class_colour(0)
    assert not changed(picture)[210:390, 110:290].any()


def test_tag_of_a_box_at_the_edge_stays_in_the_picture() -> None:
    inside = changed(drawn(objects([[-50, -50, 700, 500]])))
    assert inside[:60, :200].any()  # below the upper edge, as there is no room above


def test_the_mask_colours_its_area_and_leaves_background_and_unseen_pixels() -> None:
    cells = np.array([[0, 1], [UNSEEN, 0]], np.uint8)
    mask = Mask(labels=("ground", "bird"), classes=cells, box=(0, 0, 64, 48), size=(64, 48))
    picture = drawn(mask)
    expected = 0.55 * GREY + 0.45 * np.array(class_colour(1))
    assert np.abs(picture[100, 500] - expected).max() <= 1
    assert not changed(picture)[240:].any()
    assert changed(picture)[:60, :300].any()  # the legend


def test_keypoints_and_limbs() -> None:
    sure = drawn(body([[100, 300], [400, 300]], [0.9, 0.9]))
    for column in (100, 250, 400):
        assert tuple(sure[300, column]) == class_colour(0)
    one = drawn(body([[100, 300], [400, 300]], [0.9, 0.1]))
    assert tuple(one[300, 100]) == class_colour(0)
    assert not changed(one)[300, 150:].any()


@pytest.mark.parametrize("pixel_format", ["rgb", "bgr", "jpeg"])
def test_the_frame_stays_as_it_is_and_keeps_its_colours(pixel_format: Any) -> None:
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0 if pixel_format == "rgb" else 2] = 200
    pixels = cv2.imencode(".jpg", red)[1].reshape(-1) if pixel_format == "jpeg" else red
    before = pixels.copy()
    frame = Frame(pixels=pixels, format=pixel_format, sequence=0, captured_ns=0)
    picture = annotate(Answer(frame=frame, prediction=classified("cat"), age_ms=1.0))
    assert np.abs(picture[300, 300].astype(int) - (0, 0, 200)).max() <= 3
    assert (frame.pixels == before).all()


def test_the_truth_is_shown_where_the_answer_is_wrong() -> None:
    def with_truth(truth: str) -> NDArray[np.uint8]:
        pixels = np.full((480, 640, 3), GREY, np.uint8)
        frame = Frame(pixels=pixels, sequence=0, captured_ns=0, label=truth)
        prediction = classified("cat", "dog")
        return annotate(Answer(frame=frame, prediction=prediction, age_ms=1.0))

    assert (with_truth("cat") == with_truth("of another model")).all()
    assert changed(with_truth("dog")).sum() > changed(with_truth("cat")).sum()


COORDINATES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-1e3, 1e3)


@settings(max_examples=50)
@given(
    st.tuples(st.integers(1, 400), st.integers(1, 400))
    | st.tuples(st.integers(1, 20), st.integers(1, 9000)),
    st.one_of(
        st.lists(st.text(max_size=60), min_size=1, max_size=5, unique=True).map(
            lambda labels: classified(*labels)
        ),
        st.builds(Value, value=st.floats(), unit=st.text(max_size=8)),
        st.lists(st.lists(COORDINATES, min_size=4, max_size=4), max_size=4).map(objects),
        st.lists(COORDINATES, min_size=4, max_size=4).map(lambda xy: body(xy, [1, 1])),
        st.just(Embedding(vector=np.zeros(3))),
    ),
)
def test_anything_can_be_drawn(size: tuple[int, int], prediction: Prediction) -> None:
    picture = drawn(prediction, size=size, caption="now")
    assert picture.dtype == np.uint8
    assert picture.shape[0] >= size[1]
