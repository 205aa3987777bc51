"""BlazeFace: what is encoded comes back, one face is one, and a photograph's face is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.faces.blaze_face import (
    POINTS,
    anchor_centres,
    merge_overlapping,
)
from edgeinfer.device.tasks.detection.faces.prediction import Faces
from edgeinfer.device.tasks.detection.task import TASK
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.registry import guess_task, make_decode
from edgeinfer.device.tasks.spec import AnchorSpec, Decoder
from edgeinfer.device.tasks.task import Said
from tests.device.graph_examples import model

NUMBERS = 4 + 2 * len(POINTS)
SHORT = AnchorSpec(strides=(8, 16), per_cell=(2, 6), points=POINTS)


def spec(*shape: int) -> TensorSpec:
    return TensorSpec(name="out", shape=shape, dtype="float32")


def guessed(side: int, *outputs: TensorSpec) -> Guess | None:
    image = TensorSpec(name="image", shape=(1, side, side, 3), dtype="float32")
    graph = model((), [("CONCATENATION", (0,), (8, 9))], inputs=(0,), outputs=(8, 9))
    return guess_task(Shown(graph=graph, inputs=(image,), outputs=outputs))


@pytest.mark.parametrize(
    ("side", "count", "strides"),
    [(128, 896, (8, 16)), (256, 896, (16, 32)), (192, 2304, (4,))],
)
def test_each_model_is_known_by_its_size_and_anchors(
    side: int, count: int, strides: tuple[int, ...]
) -> None:
    for order in (0, 1):
        outputs = [spec(1, count, NUMBERS), spec(1, count, 1)]
        found = guessed(side, *(outputs if order == 0 else outputs[::-1]))
        assert found is not None
        assert (found.task, found.labels) == ("detection", ("face",))
        assert (found.crop, found.input_range) == ("letterbox", "-1..1")
        anchors = found.decoder.anchors
        assert anchors is not None
        assert (anchors.boxes, anchors.strides) == (order, strides)
        assert len(anchor_centres(anchors, (side, side))) == count


@pytest.mark.parametrize(
    ("side", "outputs"),
    [
        (96, [spec(1, 896, NUMBERS), spec(1, 896, 1)]),
        (128, [spec(1, 895, NUMBERS), spec(1, 895, 1)]),
        (128, [spec(1, 896, NUMBERS), spec(1, 896, 2)]),
        (128, [spec(1, 896, 18), spec(1, 896, 1)]),
    ],
)
def test_others_are_not(side: int, outputs: list[TensorSpec]) -> None:
    found = guessed(side, *outputs)
    assert found is None or found.decoder.anchors is None


def test_anchors_go_row_by_row_and_grid_by_grid() -> None:
    centres = anchor_centres(SHORT, (128, 128))
    assert centres[:4].tolist() == [[4, 4], [4, 4], [12, 4], [12, 4]]
    assert centres[512].tolist() == [8, 8]
    assert centres[-1].tolist() == [120, 120]


def decode(rows: NDArray[Any], logits: NDArray[Any], anchors: AnchorSpec = SHORT) -> Faces:
    answer = make_decode(
        "detection",
        Said(labels=("face",), decoder=Decoder(anchors=anchors)),
        [spec(1, 896, NUMBERS), spec(1, 896, 1)],
        PreprocessSpec(size=(128, 128)),
    )([rows.astype(np.float32), logits.astype(np.float32)])
    assert isinstance(answer, Faces)
    return answer


def encoded(faces: dict[int, tuple[float, ...]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Outputs with faces at some anchors: centre x, y, width, height; points are at the centre."""
    rows, logits = np.zeros((1, 896, NUMBERS)), np.full((1, 896, 1), -200.0)
    centres = anchor_centres(SHORT, (128, 128))
    for anchor, (x, y, width, height, logit) in faces.items():
        away = np.array([x, y]) - centres[anchor]
        rows[0, anchor] = [*away, width, height, *np.tile(away, len(POINTS))]
        logits[0, anchor] = logit
    return rows, logits


@given(
    st.integers(0, 895),
    st.floats(20, 100),
    st.floats(20, 100),
    st.floats(1, 60),
    st.floats(1, 60),
)
def test_a_face_at_any_anchor_comes_back(
    anchor: int, x: float, y: float, width: float, height: float
) -> None:
    answer = decode(*encoded({anchor: (x, y, width, height, 3.0)}))
    box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    np.testing.assert_allclose(answer.boxes, [box], atol=1e-3)
    np.testing.assert_allclose(answer.points[0], np.tile([x, y], (len(POINTS), 1)), atol=1e-3)
    assert answer.scores[0] == pytest.approx(1 / (1 + np.exp(-3)))


def test_boxes_of_one_face_are_averaged_and_others_stay() -> None:
    answer = decode(
        *encoded(
            {
                0: (40, 40, 20, 20, 60.0),
                1: (44, 40, 20, 20, 60.0),
                600: (100, 100, 20, 20, 1.0),
                601: (10, 100, 20, 20, -1.0),
            }
        )
    )
    assert len(answer) == 2
    assert answer.boxes[0].tolist() == pytest.approx([32, 30, 52, 50])
    assert answer.points[0, 0].tolist() == pytest.approx([42, 40])
    assert answer.text() == "face 100.0%, face 73.1%"


def test_scores_and_overlap_are_options() -> None:
    said = Said(labels=("face",), decoder=Decoder(anchors=SHORT))
    changed = TASK.adjusted(said, AnswerOptions(min_score=0.9, iou=0.75))
    assert changed.decoder.anchors == replace(SHORT, min_score=0.9, iou=0.75)


@given(
    st.lists(st.floats(width=32), min_size=NUMBERS + 1, max_size=NUMBERS + 1), st.integers(1, 50)
)
def test_whatever_a_model_gives_boxes_are_boxes(row: list[float], times: int) -> None:
    rows, logits = encoded({})
    rows[0, :times], logits[0, :times] = row[1:], row[0]
    answer = decode(rows, logits)
    assert np.isfinite(answer.boxes).all()
    assert np.isfinite(answer.points).all()
    assert (answer.boxes[:, 2:] >= answer.boxes[:, :2]).all()


def test_all_anchors_above_the_threshold_end_soon() -> None:
    random = np.random.default_rng(0)
    places = random.random((2304, 6)) * 100
    places[:, 2:4] = places[:, :2] + 1
    merged, scores = merge_overlapping(places, np.full(2304, 0.9), 0.99)
    assert len(merged) == len(scores) == 2304


@pytest.mark.parametrize(
    "settings",
    [
        {"boxes": 1},
        {"scores": -1},
        {"strides": ()},
        {"strides": (8,)},
        {"strides": (0, 16)},
        {"per_cell": (2, 10**9)},
        {"min_score": 1.5},
        {"points": ("x",) * 2000},
    ],
)
def test_impossible_specs_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|not 0 to 1"):
        AnchorSpec(**{"strides": (8, 16), "per_cell": (2, 6), **settings})


@pytest.mark.parametrize(
    ("said", "outputs", "message"),
    [
        (Said(labels=("face",)), [spec(1, 896, 16)] * 2, "do not fit"),
        (Said(labels=("a", "b"), decoder=Decoder(anchors=SHORT)), [], "expected two"),
        (
            Said(labels=("a", "b"), decoder=Decoder(anchors=SHORT)),
            [spec(1, 896, NUMBERS), spec(1, 896, 1)],
            "2 labels",
        ),
        (
            Said(labels=("a",), decoder=Decoder(anchors=SHORT)),
            [spec(1, 896, NUMBERS), spec(1, 895, 1)],
            "expected",
        ),
        (
            Said(labels=("a",), decoder=Decoder(anchors=SHORT)),
            [spec(1, 64, NUMBERS), spec(1, 64, 1)],
            "one an anchor",
        ),
    ],
)
def test_outputs_that_do_not_fit_are_refused(
    said: Said, outputs: list[TensorSpec], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_decode("detection", said, outputs, PreprocessSpec(size=(128, 128)))


def faces(*lefts: float, score: float = 0.9) -> Faces:
    count = len(lefts)
    boxes = np.array([[left, 0, left + 10, 10] for left in lefts], np.float64).reshape(-1, 4)
    return Faces(
        labels=("face",),
        boxes=boxes,
        classes=np.zeros(count, np.int64),
        scores=np.full(count, score),
        points=boxes[:, None, :2] + 5,
        point_names=("nose tip",),
        size=(100, 50),
    )


def test_smoothed_faces_keep_their_points() -> None:
    answer = faces(52, 0).smoothed([faces(0, 50), faces(50), faces(50)])
    assert answer.boxes.tolist() == [[52, 0, 62, 10]]
    assert answer.points.tolist() == [[[57, 5]]]
    assert faces().smoothed([faces(), faces()]).points.shape == (0, 1, 2)


def test_scripts_get_the_points() -> None:
    told: Any = faces(5).to_json()["detections"]
    assert told[0]["points"] == [{"name": "nose tip", "x": 10.0, "y": 5.0}]
    with pytest.raises(ValueError, match=r"points are"):
        replace(faces(5), points=np.zeros((2, 1, 2)))


def test_the_face_of_a_photograph_is_found(shared_data: Path) -> None:
    path = shared_data.parent / "cases" / "models" / "face_detection_short_range.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is absent: this test needs it")
    with Model.open(path) as face_detector:
        answer = face_detector.predict(shared_data / "coral" / "grace_hopper.bmp")
    assert isinstance(answer, Faces)
    assert (answer.names, answer.size) == (["face"], (512, 600))
    assert answer.scores[0] > 0.9
    # Seen on the picture, within 12 pixels.
    np.testing.assert_allclose(answer.boxes[0], [167, 143, 366, 343], atol=12)
    seen = {"right eye": (222, 190), "left eye": (308, 188), "mouth": (266, 277)}
    for name, place in seen.items():
        found = answer.points[0, POINTS.index(name)]
        np.testing.assert_allclose(found, place, atol=12)
