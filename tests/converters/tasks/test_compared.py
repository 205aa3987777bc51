"""Each task's agreement: 1 for the same answers, 0 for others, and the rule between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.registry import OWN, find_compared, find_measured
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.picture.prediction import OutputPicture
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values

SAID = Said(labels=("cat", "dog"))


def compare(name: str, pairs: Sequence[tuple[Prediction, Prediction]]) -> Evaluation:
    """Return how the second of each pair agrees with the first."""
    task = find_compared(name)
    outcomes = [task.outcome(task.target_of(true), answer) for true, answer in pairs]
    return task.evaluation(outcomes, SAID)


def scores(name: str, pairs: Sequence[tuple[Prediction, Prediction]]) -> list[float]:
    return [float(score) for score in compare(name, pairs).scores]


def classes(*probabilities: float) -> Classification:
    return Classification(labels=SAID.labels, probabilities=np.array(probabilities))


def value(number: float) -> Value:
    return Value(value=number, unit="bar")


def values(*numbers: float) -> Values:
    units = ("",) * len(numbers)
    names = tuple(f"value {index}" for index in range(len(numbers)))
    return Values(names=names, values=np.array(numbers), units=units)


def several(*probabilities: float) -> MultiLabel:
    return MultiLabel(labels=("rain", "night", "snow"), probabilities=np.array(probabilities))


def both(*probabilities: float) -> MultiLabel:
    return MultiLabel(labels=SAID.labels, probabilities=np.array(probabilities))


def vector(*numbers: float) -> Embedding:
    return Embedding(vector=np.array(numbers, np.float64))


def objects(*found: tuple[int, float, float]) -> Detections:
    """Return objects of 10 x 10 pixels: their class, and their left upper corner."""
    corners = np.array([[x, y, x + 10, y + 10] for _, x, y in found], np.float64)
    return Detections(
        labels=SAID.labels,
        boxes=corners.reshape(-1, 4),
        classes=np.array([label for label, _, _ in found], np.int64),
        scores=np.linspace(0.9, 0.6, len(found)),
        size=(100, 80),
    )


def mask(*rows: str) -> Mask:
    """Return a mask; each letter is a cell, and each digit its class."""
    cells = np.array([[int(cell) for cell in row] for row in rows], np.uint8)
    size = (float(cells.shape[1]), float(cells.shape[0]))
    return Mask(labels=SAID.labels, classes=cells, box=(0.0, 0.0, *size), size=(9, 9))


def people(*points: Sequence[tuple[float, float]], sure: float = 0.9) -> Poses:
    count, names = len(points), ("nose", "tail")
    return Poses(
        names=names,
        limbs=(),
        keypoints=np.array(points, np.float64).reshape(count, len(names), 2),
        keypoint_scores=np.full((count, len(names)), sure),
        scores=np.full(count, 0.9),
        size=(200, 100),
    )


def depth(*rows: tuple[float, ...], span: tuple[float, float] | None = None) -> OutputPicture:
    box = (0.0, 0.0, 9.0, 9.0)
    return OutputPicture(values=np.array(rows), range=span, box=box, size=(9, 9))


A, B = ((10.0, 10.0), (30.0, 10.0)), ((150.0, 50.0), (170.0, 50.0))
SAME: dict[str, list[Prediction]] = {
    "classification": [classes(0.6, 0.4), classes(0.1, 0.9)],
    "multilabel": [both(0.9, 0.2), both(0.1, 0.8), both(0.1, 0.2)],
    "value": [value(3.0), value(4.0), value(-2.0)],
    "detection": [objects((0, 5, 5), (1, 30, 30)), objects((1, 60, 5))],
    "points": [objects((0, 5, 5), (1, 30, 30)), objects((1, 60, 5))],
    "segmentation": [mask("001", "011"), mask("000", "002")],
    "picture": [depth((0, 1), (2, 3)), depth((9, 8), (7, 6))],
    "pose": [people(A), people(B)],
    "embedding": [vector(1, 0, 2), vector(0, 3, 1), vector(-1, 1, 0)],
}


def test_every_task_of_edgeinfer_is_here() -> None:
    assert {*OWN} == {*SAME}
    assert all(find_compared(name).counted for name in OWN)


@pytest.mark.parametrize("name", OWN)
def test_the_same_answers_agree_in_full(name: str) -> None:
    found = compare(name, [(one, one) for one in SAME[name]])
    assert found.samples == len(SAME[name])
    assert found.score == pytest.approx(1.0)


@pytest.mark.parametrize("name", OWN)
def test_answers_to_other_pictures_do_not(name: str) -> None:
    answers = SAME[name]
    found = compare(name, list(zip(answers, [*answers[1:], answers[0]], strict=True)))
    assert found.score < 0.5


@pytest.mark.parametrize("name", OWN)
def test_without_pictures_there_is_an_evaluation_of_none(name: str) -> None:
    assert compare(name, []).samples == 0


def test_values_agree_within_a_twentieth_of_their_spread() -> None:
    pairs = [(0.0, 0.49), (10.0, 9.49), (5.0, 5.5), (5.0, float("nan"))]
    assert scores("value", [(value(a), value(b)) for a, b in pairs]) == [1, 0, 1, 0]
    constant = [(value(3.0), value(3.0)), (value(3.0), value(3.01))]
    assert scores("value", constant) == [1, 0], "without a spread only the same value agrees"


def test_of_several_values_each_has_its_own_spread() -> None:
    true = [values(0, 100, 7), values(1, 300, 7), values(0.5, 200, 7)]
    answers = [values(0.04, 100, 7.1), values(0.9, 309, 7.1), values(0.5, 211, 7.1)]
    found = scores("value", list(zip(true, answers, strict=True)))
    assert found == [1.0, 0.5, 0.5], "the third value is the same on all pictures"


def test_classes_that_do_not_exclude_each_other() -> None:
    pairs = [
        (several(0.9, 0.8, 0.1), several(0.6, 0.7, 0.4)),
        (several(0.9, 0.8, 0.1), several(0.9, 0.4, 0.1)),
        (several(0.9, 0.1, 0.1), several(0.1, 0.9, 0.1)),
        (several(0.1, 0.1, 0.1), several(0.4, 0.1, 0.1)),
    ]
    assert scores("classification", pairs) == [1.0, pytest.approx(2 / 3), 0.0]
    decoder = Decoder(multi_label=MultiLabelSpec())
    task = find_compared("classification")
    assert task.counts(Said(labels=SAID.labels, decoder=decoder)) == "true classes (F1)"
    assert task.counts(SAID) == "the same best class"


@pytest.mark.parametrize(
    ("true", "answer", "expected"),
    [
        (objects((0, 0, 0)), objects((0, 3, 0)), 1.0),  # overlap 0.54
        (objects((0, 0, 0)), objects((0, 4, 0)), 0.0),  # overlap 0.43
        (objects((0, 0, 0)), objects((1, 0, 0)), 0.0),
        (objects((0, 0, 0)), objects((0, 0, 0), (0, 50, 0)), 2 / 3),
        (objects((0, 0, 0), (0, 50, 0)), objects((0, 0, 0)), 2 / 3),
        # One object is not found twice.
        (objects((0, 0, 0), (0, 1, 0)), objects((0, 0, 0)), 2 / 3),
        (objects((0, 0, 0)), objects(), 0.0),
        (objects(), objects((0, 0, 0)), 0.0),
    ],
)
def test_objects_found_again(true: Detections, answer: Detections, expected: float) -> None:
    assert scores("detection", [(true, answer)]) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("true", "answer", "expected"),
    [
        (objects((0, 0, 0)), objects((0, 4, 5)), 1.0),  # the point is in the square
        (objects((0, 0, 0)), objects((0, 6, 0)), 0.0),
        (objects((0, 0, 0)), objects((1, 0, 0)), 0.0),
        (objects((0, 0, 0), (0, 1, 0)), objects((0, 0, 0)), 2 / 3),
    ],
)
def test_points_found_again(true: Detections, answer: Detections, expected: float) -> None:
    assert scores("points", [(true, answer)]) == pytest.approx([expected])


def test_pictures_without_objects_are_left_out() -> None:
    assert scores("detection", [(objects(), objects())]) == []
    assert scores("pose", [(people(), people()), (people(A), people(A))]) == [1.0]


def test_a_mask_of_the_commonest_class_alone_does_not_agree() -> None:
    """It has most cells right."""
    true = mask(*["0" * 20] * 18, *["0" * 10 + "1" * 10] * 2)
    empty = mask(*["0" * 20] * 20)
    assert (true.classes == empty.classes).mean() == 0.95
    (score,) = scores("segmentation", [(true, empty)])
    assert score == pytest.approx(4 / 24)  # a hundredth of 400 cells is forgiven
    assert scores("segmentation", [(empty, empty)]) == [1.0]


def test_a_speck_in_an_empty_picture_is_forgiven_and_a_shift_counts() -> None:
    empty, speck = mask(*["0" * 20] * 20), mask(*["0" * 20] * 19, "0" * 19 + "1")
    (score,) = scores("segmentation", [(empty, speck)])
    assert score == pytest.approx(4 / 5)
    half, shifted = mask(*["0" * 12 + "1" * 8] * 20), mask(*["0" * 11 + "1" * 9] * 20)
    (score,) = scores("segmentation", [(half, shifted)])
    assert score == pytest.approx((2 * 160 + 4) / (160 + 180 + 4))


def test_values_of_places_agree_within_a_twentieth_of_their_range() -> None:
    true, answer = depth((0, 10), (4, 6)), depth((0.4, 9.4), (4, float("nan")))
    assert scores("picture", [(true, answer)]) == [0.5]
    wide = depth((0, 10), (4, 6), span=(0, 20))
    assert scores("picture", [(wide, answer)]) == [0.75], "the model states its range"


def test_keypoints_agree_within_a_twentieth_of_the_longer_side() -> None:
    near = ((10.0, 19.9), (30.0, 20.1))  # the longer side has 200 pixels
    assert scores("pose", [(people(A), people(near))]) == [0.5]
    assert scores("pose", [(people(A, B), people(B))]) == [pytest.approx(2 / 3)]
    assert scores("pose", [(people(A, B), people(B, A))]) == [1.0], "people have no order"
    assert scores("pose", [(people(A), people(A, sure=0.2))]) == [0.0]
    assert scores("pose", [(people(A, sure=0.2), people(A, sure=0.2))]) == []


def test_vectors_that_hardly_differ_from_their_mean_are_compared_by_that() -> None:
    """All point the same way by 0.99; which picture it is tells only the small part."""
    common = np.full(8, 10.0)
    parts = np.random.default_rng(0).normal(size=(40, 8))
    true = [vector(*(common + part)) for part in parts]
    other = [vector(*(common + part)) for part in np.roll(parts, 1, axis=0)]
    nothing = [vector(*common)] * 40
    assert compare("embedding", list(zip(true, other, strict=True))).score < 0.35
    assert compare("embedding", list(zip(true, nothing, strict=True))).score < 0.6
    noisy = [vector(*(common + part + 0.05)) for part in parts]
    assert compare("embedding", list(zip(true, noisy, strict=True))).score > 0.98
    assert scores("embedding", [(vector(1, 0), vector(1, 1))]) == pytest.approx([0.5**0.5])
    assert scores("embedding", [(vector(1, 0), vector(0, 0))]) == [0.0]


PLACES = st.tuples(st.integers(0, 1), st.floats(0, 80), st.floats(0, 60))


@given(st.lists(PLACES, max_size=6), st.lists(PLACES, max_size=6))
def test_agreement_of_objects_is_a_share_and_symmetric_enough(
    first: list[tuple[int, float, float]], second: list[tuple[int, float, float]]
) -> None:
    one, other = objects(*first), objects(*second)
    there, back = scores("detection", [(one, other)]), scores("detection", [(other, one)])
    assert bool(there) == bool(first or second) == bool(back)
    assert all(0 <= score <= 1 for score in there)
    assert scores("detection", [(one, one)]) == [1.0] * bool(first)


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=8))
def test_no_pair_of_values_breaks_the_score(pairs: list[tuple[float, float]]) -> None:
    found = scores("value", [(value(a), value(b)) for a, b in pairs])
    assert len(found) == len(pairs)
    assert {*found} <= {0.0, 1.0}


def test_one_answer_for_all_is_as_good_as_the_most_frequent_class() -> None:
    classes = find_measured("classification")
    assert classes.chance([0, 1, 1, 2]) == 0.5
    assert classes.chance([]) == 0
