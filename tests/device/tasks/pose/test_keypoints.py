"""Keypoints that a model gives as they are, and MoveNet's own picture."""

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
from edgeinfer.device.runtime.open_options import AnswerOptions, OpenOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.pose.decode import KEYPOINTS
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.pose.task import TASK
from edgeinfer.device.tasks.registry import guess_task, make_decode
from edgeinfer.device.tasks.spec import Decoder, KeypointsSpec, PoseSpec
from edgeinfer.device.tasks.task import Said
from tests.device.graph_examples import model

COUNT = len(KEYPOINTS)
SIZE = (192, 128)
SEVERAL = KeypointsSpec(score=3 * COUNT + 4)


def spec(*shape: int) -> TensorSpec:
    return TensorSpec(name="out", shape=shape, dtype="float32")


def guessed(*shape: int) -> Guess | None:
    image = TensorSpec(name="image", shape=(1, 192, 192, 3), dtype="uint8")
    graph = model((), [("DEQUANTIZE", (0,), (9,))], inputs=(0,), outputs=(9,))
    return guess_task(Shown(graph=graph, inputs=(image,), outputs=(spec(*shape),)))


@pytest.mark.parametrize(
    ("shape", "expected"), [((1, 1, 17, 3), KeypointsSpec()), ((1, 6, 56), SEVERAL)]
)
def test_movenet_is_known_by_its_shape(shape: tuple[int, ...], expected: KeypointsSpec) -> None:
    found = guessed(*shape)
    assert found is not None
    assert (found.task, found.decoder.keypoints) == ("pose", expected)
    assert (found.crop, found.input_range) == ("letterbox", "0..255")


@pytest.mark.parametrize("shape", [(1, 6, 55), (1, 2, 17, 3), (2, 1, 17, 3), (1, 1, 16, 3)])
def test_other_shapes_are_not(shape: tuple[int, ...]) -> None:
    found = guessed(*shape)
    assert found is None or found.task != "pose"


def decode(values: NDArray[Any], points: KeypointsSpec) -> Poses:
    answer = make_decode(
        "pose",
        Said(decoder=Decoder(keypoints=points)),
        [spec(*values.shape)],
        PreprocessSpec(size=SIZE),
    )([values.astype(np.float32)])
    assert isinstance(answer, Poses)
    return answer


def test_places_are_ratios_of_height_and_width() -> None:
    values = np.full((1, 1, COUNT, 3), 0.5)
    values[0, 0, 0] = (0.25, 0.75, 1.0)
    answer = decode(values, KeypointsSpec())
    assert answer.names == KEYPOINTS
    assert answer.keypoints[0, :2].tolist() == [[144.0, 32.0], [96.0, 64.0]]
    assert answer.scores == pytest.approx((16 * 0.5 + 1) / 17)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6))
def test_people_have_their_own_scores_and_places(scores: list[float]) -> None:
    values = np.random.default_rng(1).random((1, len(scores), 56))
    values[0, :, -1] = scores
    answer = decode(values, SEVERAL)
    kept = sorted((i for i, s in enumerate(scores) if s >= 0.25), key=lambda i: -scores[i])
    assert answer.scores.tolist() == [scores[i] for i in kept]
    expected = values[0, kept, : 3 * COUNT].reshape(-1, COUNT, 3).astype(np.float32)
    np.testing.assert_allclose(answer.keypoints, expected[..., [1, 0]] * SIZE, rtol=1e-6)


@given(st.lists(st.floats(width=32), min_size=56, max_size=56))
def test_whatever_a_model_gives_places_are_numbers(row: list[float]) -> None:
    answer = decode(np.array([[row]]), SEVERAL)
    assert np.isfinite(answer.keypoints).all()
    assert ((answer.keypoint_scores >= 0) & (answer.keypoint_scores <= 1)).all()
    assert ((answer.scores >= 0.25) & (answer.scores <= 1)).all()


def test_the_least_score_of_a_person_is_an_option() -> None:
    said = TASK.adjusted(Said(decoder=Decoder(keypoints=SEVERAL)), AnswerOptions(min_score=0.75))
    assert said.decoder.keypoints == replace(SEVERAL, min_score=0.75)


@pytest.mark.parametrize(
    ("decoder", "outputs", "message"),
    [
        (Decoder(), [spec(1, 1, 17, 3)], "needs a decoder"),
        (Decoder(keypoints=SEVERAL, pose=PoseSpec(stride=16)), [spec(1, 6, 56)], "needs a decoder"),
        (Decoder(keypoints=SEVERAL), [spec(1, 6, 55)], "56 numbers or more"),
        (Decoder(keypoints=KeypointsSpec(output=1)), [spec(1, 6, 56)], "expected output 1"),
    ],
)
def test_contradictions_are_refused(
    decoder: Decoder, outputs: list[TensorSpec], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_decode("pose", Said(decoder=decoder), outputs, PreprocessSpec(size=SIZE))


@pytest.mark.parametrize(
    "settings",
    [{"output": -1}, {"keypoints": 0}, {"order": (0, 0, 1)}, {"score": 50}, {"min_score": 2.0}],
)
def test_impossible_specs_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected"):
        KeypointsSpec(**settings)


def test_movenet_on_corals_picture(shared_data: Path) -> None:
    folder = shared_data.parent / "cases" / "models" / "movenet"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: this test needs MoveNet and its picture")
    name = "movenet_single_pose_lightning_ptq"
    told = np.loadtxt(folder / f"{name}_reference.csv", delimiter=",", skiprows=1)
    # Coral's example takes pictures without bars.
    with Model.open(folder / f"{name}.tflite", OpenOptions(crop="stretch")) as movenet:
        answer = movenet.predict(folder / "squat.bmp")
    assert isinstance(answer, Poses)
    assert len(answer) == 1
    away = np.abs(answer.keypoints[0] / answer.size - told[:, 4:6]) * 192
    # Pixels of the model's image. The model is coarse: noise of two grey levels moves its points
    # by one pixel, another of the runtime's kernels by up to five.
    assert away.mean() < 2
    assert away.max() < 8
