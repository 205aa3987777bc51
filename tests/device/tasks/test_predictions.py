"""Each kind of prediction: what it tells people, scripts and code."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import UNSEEN, Mask
from edgeinfer.device.tasks.value.prediction import Value

LABELS = ("background", "cat", "dog")


def detections(count: int = 3) -> Detections:
    return Detections(
        labels=LABELS,
        boxes=np.array([[1.0, 2.0, 30.004, 40.0], [0, 0, 5, 5], [-3, 2, 9, 9]])[:count],
        classes=np.array([2, 1, 7])[:count],
        scores=np.array([0.9, 0.625, 0.5])[:count],
        size=(64, 48),
    )


def poses(people: int = 1) -> Poses:
    return Poses(
        names=("nose", "left eye"),
        limbs=((0, 1),),
        keypoints=np.full((people, 2, 2), 4.126),
        keypoint_scores=np.full((people, 2), 0.75),
        scores=np.full(people, 0.5),
        size=(8, 8),
    )


def mask(box: tuple[float, float, float, float] = (0, 0, 4, 2)) -> Mask:
    return Mask(labels=LABELS, classes=np.array([[0, 1], [0, 0]], np.uint8), box=box, size=(4, 2))


KINDS: list[tuple[Prediction, str, str]] = [
    (
        Classification(labels=("cat", "dog"), probabilities=np.array([0.25, 0.75])),
        "dog",
        "dog 75.0%",
    ),
    (Value(value=2.5, unit="bar"), "2.5", "2.5 bar"),
    (detections(), "1 cat, 1 class 7, 1 dog", "dog 90.0%, cat 62.5%, class 7 50.0%"),
    (detections(0), "nothing", "nothing"),
    (mask(), "cat", "background 75.0%, cat 25.0%"),
    (poses(), "1 person", "1 person: 50.0%"),
    (poses(5), "5 people", "5 people: 50.0%, 50.0%, 50.0%, 2 more"),
    (poses(0), "no people", "no people"),
    (
        Embedding(vector=np.array([3.0, 4.0])),
        "embedding of 2 numbers",
        "embedding of 2 numbers, length 5: 3, 4",
    ),
]


@pytest.mark.parametrize(("prediction", "headline", "text"), KINDS)
def test_each_kind_has_a_headline_and_a_line(
    prediction: Prediction, headline: str, text: str
) -> None:
    assert prediction.headline == headline
    assert prediction.text() == text
    assert len(prediction.text()) <= 80
    json.dumps(prediction.to_json())


def test_a_line_says_how_much_it_leaves_out() -> None:
    assert detections().text(1) == "dog 90.0%, 2 more"
    assert mask().text(1) == "background 75.0%, 1 more"
    assert Embedding(vector=np.ones(5)).text(1).endswith(": 1, ...")


def test_objects_for_scripts() -> None:
    answer = detections(1).to_json()
    box = [1.0, 2.0, 30.0, 40.0]
    assert answer["detections"] == [{"label": "dog", "score": 0.9, "box": box}]
    assert answer["size"] == [64, 48]


def test_poses_for_scripts() -> None:
    people: Any = poses().to_json()["poses"]
    (person,) = people
    assert person["score"] == 0.5
    assert person["keypoints"][1] == {"name": "left eye", "x": 4.13, "y": 4.13, "score": 0.75}


def test_a_mask_is_at_the_place_of_its_box() -> None:
    assert mask().in_picture().tolist() == [[0, 0, 1, 1], [0, 0, 0, 0]]
    partly_outside = mask(box=(1.0, 0.0, 3.0, 2.0)).in_picture()
    assert partly_outside.tolist() == [[UNSEEN, 0, 1, UNSEEN], [UNSEEN, 0, 0, UNSEEN]]


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    left=st.floats(-3, 3),
    span=st.floats(0.1, 12),
)
def test_a_pixel_has_the_class_under_its_centre(
    rows: int, columns: int, width: int, height: int, left: float, span: float
) -> None:
    classes = np.arange(rows * columns, dtype=np.uint8).reshape(rows, columns)
    found = Mask(
        labels=(),
        classes=classes,
        box=(left, 0.0, left + span, float(height)),
        size=(width, height),
    ).in_picture()
    assert found.shape == (height, width)
    for x in range(width):
        place = (x + 0.5 - left) / (left + span - left)
        if not 0 <= place < 1:
            assert (found[:, x] == UNSEEN).all()
        else:
            column = min(int(place * columns), columns - 1)
            for y in range(height):
                row = min(int((y + 0.5) / height * rows), rows - 1)
                assert found[y, x] == classes[row, column]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one each an object"):
        Detections(
            labels=LABELS,
            boxes=np.zeros((2, 4)),
            classes=np.zeros(2, np.int64),
            scores=np.zeros(3),
            size=(1, 1),
        )
    with pytest.raises(ValueError, match="expected 2 keypoints a person"):
        Poses(
            names=("a", "b"),
            limbs=(),
            keypoints=np.zeros((1, 3, 2)),
            keypoint_scores=np.zeros((1, 3)),
            scores=np.zeros(1),
            size=(1, 1),
        )
    with pytest.raises(ValueError, match="expected an area"):
        mask(box=(2.0, 0.0, 2.0, 1.0))


@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5]), min_size=1, max_size=30),
    count=st.integers(1, 32),
)
def test_the_best_are_those_that_sorting_gives(values: list[float], count: int) -> None:
    labels = tuple(f"c{i}" for i in range(len(values)))
    answer = Classification(labels=labels, probabilities=np.array(values))
    expected = sorted(range(len(values)), key=lambda i: -values[i])[:count]
    assert answer.top(count) == [(labels[i], values[i]) for i in expected]


def test_the_best_class_comes_first_and_of_equals_the_first() -> None:
    answer = Classification(labels=("a", "b", "c"), probabilities=np.array([0.2, 0.4, 0.4]))
    assert (answer.label, answer.probability) == ("b", 0.4)
    assert answer.top(2) == [("b", 0.4), ("c", 0.4)]
    assert answer.to_json()["label"] == "b"


def test_a_value_has_its_unit() -> None:
    assert Value(value=2.5, unit="bar").to_json() == {"value": 2.5, "unit": "bar"}


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
    placed = found.in_frame((24, 16))
    assert placed.placing is None
    assert (placed.size, placed.boxes.tolist()) == ((24, 16), [[0, 8, 24, 16]])
    value = Value(value=1.0, unit="bar")
    assert value.placing is None
    assert value.in_frame((24, 16)) is value
