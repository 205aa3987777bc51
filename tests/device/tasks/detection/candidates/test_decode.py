"""Candidates to objects: whatever a model may give, and how much of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.candidates.decode import MOST_CANDIDATES
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.registry import find_task, make_decode
from edgeinfer.device.tasks.spec import CandidateSpec, Decoder, DetectionSpec, PoseSpec
from edgeinfer.device.tasks.task import Said
from tests.support.growth import assert_linear

LABELS = ("cat", "dog")
SIZE = (200, 100)
PLAIN = CandidateSpec(classes=2)


def decode(values: NDArray[Any], spec: CandidateSpec = PLAIN, **tensor: Any) -> Detections:
    said = Said(labels=LABELS, decoder=Decoder(candidates=spec))
    described = TensorSpec(name="x", shape=values.shape, dtype=values.dtype.name, **tensor)  # type: ignore[arg-type]
    answer = make_decode("detection", said, [described], PreprocessSpec(size=SIZE))([values])
    assert isinstance(answer, Detections)
    return answer


def columns(*rows: list[float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).T[None].copy()


def test_the_surest_class_counts_and_the_surest_object_comes_first() -> None:
    found = decode(columns([0.25, 0.5, 0.5, 1, 0.3, 0.6], [0.75, 0.5, 0.5, 1, 0.7, 0.1]))
    assert found.names == ["cat", "dog"]
    assert found.scores.tolist() == pytest.approx([0.7, 0.6])
    assert found.boxes.tolist() == [[100, 0, 200, 100], [0, 0, 100, 100]]


def test_of_one_class_what_overlaps_is_left_out_of_two_it_stays() -> None:
    near = [0.51, 0.5, 0.5, 1]
    rows = [[0.5, 0.5, 0.5, 1, 0.9, 0], [*near, 0.8, 0], [*near, 0, 0.7]]
    assert decode(columns(*rows)).names == ["cat", "dog"]
    assert len(decode(columns(*rows), replace(PLAIN, iou=1.0))) == 3


def test_an_objectness_multiplies() -> None:
    spec = replace(PLAIN, objectness=True)
    values = columns([0.5, 0.5, 1, 1, 0.5, 0.8, 0.2], [0.5, 0.5, 1, 1, 0.2, 1, 1])
    found = decode(values, spec)
    assert found.scores.tolist() == pytest.approx([0.4])


@pytest.mark.parametrize(("low", "unit"), [(0.5, 1), (50, 200)])
def test_each_answer_tells_whether_boxes_are_in_pixels(low: float, unit: float) -> None:
    spec = replace(PLAIN, unit="either", form="corners")
    # One box is too large for the other unit; most decide.
    rows = [[0, 0, low, low / 2, 0.9, 0], [low, 0, unit, 0.5 * unit, 0.8, 0]]
    rows.append([0, 0.5 * unit, 0.5 * unit, unit, 0.7, 0])
    scale = 1 if unit > 1 else 200
    assert decode(columns(*rows), spec).boxes[1, 2] == pytest.approx(unit * scale)


@pytest.mark.parametrize("classes", [1, 2, 8, 9, 17, 80])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8"])
def test_both_layouts_and_all_dtypes_give_the_same(classes: int, dtype: TensorDtype) -> None:
    random = np.random.default_rng(classes)
    values = random.random((1, 4 + classes, 50))
    integers = dtype.endswith("int8")
    tensor: Any = {"scale": 1 / 255, "zero_point": -128 if dtype == "int8" else 0}
    stored = np.rint(values * 255) + tensor["zero_point"] if integers else values
    first = stored.astype(dtype)
    labels = tuple(map(str, range(classes)))
    answers = []
    for layout, array in (("channels-first", first), ("channels-last", first.swapaxes(1, 2))):
        spec = CandidateSpec(classes=classes, layout=layout, iou=1.0, min_score=0.9)  # type: ignore[arg-type]
        described = TensorSpec(
            name="x",
            shape=array.shape,
            dtype=dtype,
            **(tensor if integers else {}),
        )
        said = Said(labels=labels, decoder=Decoder(candidates=spec))
        decoded = make_decode("detection", said, [described], PreprocessSpec(size=SIZE))
        answers.append(decoded([array]))
    one, other = answers
    assert isinstance(one, Detections)
    assert isinstance(other, Detections)
    assert one.to_json() == other.to_json()
    best = values[0, 4:].max(axis=0)
    assert len(one) == np.count_nonzero(best >= 0.9) or dtype != "float32"
    order = np.argsort(-best)[: len(one)]
    if dtype == "float32":
        assert one.classes.tolist() == values[0, 4:, order].argmax(axis=1).tolist()


NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(
    rows=st.lists(st.lists(NUMBERS, min_size=8, max_size=8), min_size=1, max_size=12),
    form=st.sampled_from(["corners", "corner-size", "center-size"]),
    unit=st.sampled_from(["ratio", "pixel", "either"]),
    kind=st.sampled_from(["plain", "objectness", "picked", "angle"]),
)
def test_whatever_a_model_gives_boxes_are_boxes(
    rows: list[list[float]], form: Any, unit: Any, kind: str
) -> None:
    spec = {
        "plain": CandidateSpec(classes=2, coefficients=2, prototypes=1),
        "objectness": CandidateSpec(classes=3, objectness=True),
        "picked": CandidateSpec(picked=True, keypoints=(1, 2)),
        "angle": CandidateSpec(classes=3, angle=True),
    }[kind]
    spec = replace(spec, form=form, unit=unit)
    values = columns(*rows)
    labels = tuple(map(str, range(spec.classes or 0)))
    outputs = [values, np.array(rows, np.float32)[:1, :].reshape(1, 2, 2, 2)]
    tensors = [TensorSpec(name="x", shape=array.shape, dtype="float32") for array in outputs]
    said = Said(labels=labels, decoder=Decoder(candidates=spec))
    found: Any = make_decode("detection", said, tensors, PreprocessSpec(size=SIZE))(outputs)
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert ((found.scores >= 0.25) & (found.scores <= 1)).all()
    assert found.angles is None or np.isfinite(found.angles).all()
    placed = found.in_frame((640, 480))
    assert np.isfinite(placed.boxes).all()
    assert placed.text()
    assert placed.to_json()


def test_boxes_of_nothing_do_not_crowd_out_those_of_something() -> None:
    values = np.full((1, 6, 50_000), np.nan, np.float32)
    values[0, 4:] = 0.99
    values[0, :, 777] = [0.5, 0.5, 0.5, 0.5, 0.5, 0.1]
    values[0, :4, 1000:2000] = np.inf
    values[0, :4, 2000:3000] = 0
    assert decode(values).scores.tolist() == [0.5]


def crowd(count: int) -> NDArray[np.float32]:
    values = np.random.default_rng(0).random((1, 6, count), np.float32)
    values[0, 4:] = values[0, 4:] / 2 + 0.5
    return values


@pytest.mark.parametrize("layout", ["channels-first", "channels-last"])
def test_the_time_grows_with_what_scores_enough_and_not_with_its_square(layout: Any) -> None:
    spec = replace(PLAIN, layout=layout)

    def make(count: int) -> NDArray[np.float32]:
        values = crowd(count)
        return values if layout == "channels-first" else values.swapaxes(1, 2).copy()

    assert_linear(lambda values: decode(values, spec), make, 400_000)
    found = decode(make(100_000), spec)
    assert len(found) <= min(spec.max_objects, MOST_CANDIDATES)
    assert found.scores[0] == crowd(100_000)[0, 4:].max()


def test_turned_boxes_of_one_class_do_not_grow_with_the_square_either() -> None:
    spec = CandidateSpec(classes=1, angle=True)
    said = Said(labels=("ship",), decoder=Decoder(candidates=spec))

    def read(values: NDArray[np.float32]) -> object:
        tensor = TensorSpec(name="x", shape=values.shape, dtype="float32")
        return make_decode("detection", said, [tensor], PreprocessSpec(size=SIZE))([values])

    assert_linear(read, crowd, 100_000)


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": 0},
        {"classes": None},
        {"classes": 2, "picked": True},
        {"classes": None, "picked": True, "objectness": True},
        {"classes": 2, "output": -1},
        {"classes": 2, "coefficients": 2},
        {"classes": 2, "prototypes": 1},
        {"classes": 2, "coefficients": 2, "prototypes": 0},
        {"classes": 2, "coefficients": 2, "prototypes": -7},
        {"classes": 2, "angle": True, "keypoints": (17, 3)},
        {"classes": 2, "keypoints": (0, 3)},
        {"classes": 2, "keypoints": (5, 4)},
        {"classes": 2, "min_score": 1.5},
        {"classes": 2, "iou": -0.1},
        {"classes": 2, "max_objects": 0},
    ],
)
def test_impossible_decoders_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        CandidateSpec(**wrong)


@pytest.mark.parametrize(
    ("spec", "labels", "shapes"),
    [
        (PLAIN, LABELS, [(1, 7, 50)]),
        (PLAIN, LABELS, [(1, 50, 6)]),
        (PLAIN, LABELS, [(6, 50)]),
        (PLAIN, ("one",), [(1, 6, 50)]),
        (replace(PLAIN, output=1), LABELS, [(1, 6, 50)]),
        (replace(PLAIN, coefficients=4, prototypes=1), LABELS, [(1, 10, 50), (1, 8, 8, 5)]),
        (replace(PLAIN, coefficients=4, prototypes=1), LABELS, [(1, 10, 50), (1, 8, 4)]),
    ],
)
def test_outputs_that_do_not_fit_are_refused(
    spec: CandidateSpec, labels: tuple[str, ...], shapes: list[tuple[int, ...]]
) -> None:
    tensors = [TensorSpec(name="x", shape=shape, dtype="float32") for shape in shapes]
    said = Said(labels=labels, decoder=Decoder(candidates=spec))
    with pytest.raises(ValueError, match="expected"):
        make_decode("detection", said, tensors, PreprocessSpec(size=SIZE))


def test_a_manifest_has_one_decoder_of_those_that_fit() -> None:
    for task, others in (
        ("detection", {"detection": DetectionSpec()}),
        ("pose", {"pose": PoseSpec(stride=16)}),
    ):
        both: Any = {"candidates": replace(PLAIN, keypoints=(17, 3)), **others}
        for decoder in (Decoder(), Decoder(**both)):
            with pytest.raises(ValueError, match="expected one"):
                find_task(task).check(Said(decoder=decoder))
    with pytest.raises(ValueError, match="no keypoints"):
        find_task("pose").check(Said(decoder=Decoder(candidates=PLAIN)))
    with pytest.raises(ValueError, match="do not fit"):
        find_task("segmentation").check(Said(decoder=Decoder(candidates=PLAIN)))


@pytest.mark.parametrize("task", ["detection", "pose"])
def test_what_the_user_says_and_what_people_are_shown(task: str) -> None:
    spec = CandidateSpec(classes=1, keypoints=(17, 3), objectness=True)
    said = Said(labels=("person",), decoder=Decoder(candidates=spec))
    found = find_task(task)
    adjusted = found.adjusted(said, AnswerOptions(min_score=0.1, iou=0.3)).decoder.candidates
    assert adjusted == replace(spec, min_score=0.1, iou=0.3)
    assert found.schema(said) == 3
    rows = dict(found.rows(said))
    assert rows["outputs"] == "candidates 0 (channels-first)"
    assert rows["numbers"] == (
        "box 0 to 3, objectness 4, 1 classes from 5, 17 keypoints of 3 from 6"
    )
    assert rows["overlap"] == "0.7 iou at most"
    picked = CandidateSpec(picked=True, unit="either", form="corners")
    rows = dict(found.rows(Said(decoder=Decoder(candidates=picked))))
    assert rows["numbers"] == "box 0 to 3, score 4, class 5"
    assert rows["boxes"] == "corners in ratios or pixels, as each answer shows"
