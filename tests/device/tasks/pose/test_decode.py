"""PoseNet's maps to people: drawn keypoints come out where they were drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, LIMBS, SKELETON
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder, PoseSpec
from edgeinfer.device.tasks.task import Said

ROWS, COLUMNS, STRIDE = 23, 31, 16
SIZE = (481, 353)
COUNT, WAYS = len(KEYPOINTS), len(LIMBS)


class Drawing:
    """Maps that a model would give of people at known places, (y, x) in pixels."""

    def __init__(self) -> None:
        self.heatmaps = np.full((1, ROWS, COLUMNS, COUNT), -8.0, np.float32)
        self.offsets = np.zeros((1, ROWS, COLUMNS, 2 * COUNT), np.float32)
        self.ways = np.zeros((1, ROWS, COLUMNS, 4 * WAYS), np.float32)

    def add(self, person: NDArray[np.float64], logit: float = 4.0) -> None:
        cells = np.rint(person / STRIDE).astype(int)
        for number, (y, x) in enumerate(cells):
            self.heatmaps[0, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2, number] = logit
            # Around a keypoint all cells point at it.
            for row in range(max(0, y - 2), min(ROWS, y + 3)):
                for column in range(max(0, x - 2), min(COLUMNS, x + 3)):
                    away = person[number] - np.array([row, column]) * STRIDE
                    self.offsets[0, row, column, [number, COUNT + number]] = away
        for limb, (start, end) in enumerate(LIMBS):
            for begin, target, first in ((start, end, 0), (end, start, 2 * WAYS)):
                y, x = np.clip(cells[begin], 1, (ROWS - 2, COLUMNS - 2))
                for row in (y - 1, y, y + 1):
                    for column in (x - 1, x, x + 1):
                        way = person[target] - person[begin]
                        self.ways[0, row, column, [first + limb, first + WAYS + limb]] = way

    def decode(self, *, ways: bool = True, **settings: Any) -> Poses:
        outputs = [self.heatmaps, self.offsets, *([self.ways] if ways else [])]
        spec = PoseSpec(stride=STRIDE, displacements=(2,) if ways else (), **settings)
        return decode(outputs, spec)


def decode(outputs: list[NDArray[Any]], spec: PoseSpec) -> Poses:
    answer = make_decode(
        "pose",
        Said(decoder=Decoder(pose=spec)),
        [
            TensorSpec(name=str(i), shape=values.shape, dtype="float32")
            for i, values in enumerate(outputs)
        ],
        PreprocessSpec(size=SIZE),
    )(outputs)
    assert isinstance(answer, Poses)
    return answer


def person(y: float, x: float) -> NDArray[np.float64]:
    """Seventeen keypoints, no two in one cell's reach."""
    rows, columns = np.divmod(np.arange(COUNT), 4)
    return np.stack([y + rows * 37.0, x + columns * 41.0], axis=1)


def places(poses: Poses, index: int = 0) -> NDArray[np.float64]:
    """(y, x) in pixels, counted as the model counts them: from the first pixel's centre."""
    found: NDArray[np.float64] = poses.keypoints[index][:, ::-1] - 0.5
    return found


def test_one_person_is_found_with_and_without_displacements() -> None:
    drawing, drawn = Drawing(), person(40.3, 50.7)
    drawing.add(drawn)
    for ways in (True, False):
        found = drawing.decode(ways=ways)
        assert len(found) == 1
        assert np.abs(places(found) - drawn).max() < (2.0 if ways else 1e-3)
        assert found.scores[0] > 0.7
    assert found.names == KEYPOINTS


def test_two_people_are_two_poses() -> None:
    drawing, left, right = Drawing(), person(50, 30), person(90, 300)
    drawing.add(left, logit=3.0)
    drawing.add(right, logit=5.0)
    found = drawing.decode()
    assert len(found) == 2
    assert (np.diff(found.scores) <= 0).all()
    assert np.abs(places(found, 0) - right).max() < 2
    assert np.abs(places(found, 1) - left).max() < 2
    assert len(drawing.decode(max_people=1)) == 1


def test_nobody_is_found_in_nothing() -> None:
    assert len(Drawing().decode()) == 0
    assert len(Drawing().decode(ways=False)) == 0


def test_forward_and_backward_may_be_two_outputs() -> None:
    drawing = Drawing()
    drawing.add(person(40, 50))
    halves = [drawing.ways[..., : 2 * WAYS], drawing.ways[..., 2 * WAYS :]]
    spec = PoseSpec(stride=STRIDE, displacements=(2, 3))
    apart = decode([drawing.heatmaps, drawing.offsets, *halves], spec)
    assert apart.keypoints.tolist() == drawing.decode().keypoints.tolist()


@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([1.0, 30.0, 1e30]))
def test_any_maps_give_people_within_the_picture(seed: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    shapes = ((1, 4, 5, COUNT), (1, 4, 5, 2 * COUNT), (1, 4, 5, 4 * WAYS))
    maps = [(random.standard_normal(shape) * spread).astype(np.float32) for shape in shapes]
    maps[seed % 3][0, 0, 0, 0] = (np.nan, np.inf, -np.inf)[seed % 3]
    found = decode(maps, PoseSpec(stride=STRIDE, displacements=(2,)))
    assert len(found) <= 10
    assert ((found.keypoints >= 0) & (found.keypoints <= (65, 49))).all()
    assert ((found.keypoint_scores >= 0) & (found.keypoint_scores <= 1)).all()


def test_the_skeleton_joins_known_keypoints_once() -> None:
    assert all(0 <= a < COUNT and 0 <= b < COUNT for a, b in SKELETON)
    assert len({frozenset(line) for line in SKELETON}) == len(SKELETON)
    # A tree reaches every keypoint from the nose.
    reached = {0}
    for start, end in LIMBS:
        assert start in reached
        reached.add(end)
    assert reached == set(range(COUNT))


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 4, 5, 17)],
        [(1, 4, 5, 17), (1, 4, 5, 17)],
        [(1, 4, 5, 17), (1, 4, 6, 34)],
        [(1, 4, 5, 17), (1, 4, 5, 34), (1, 4, 5, 60)],
        [(1, 17), (1, 34)],
    ],
)
def test_outputs_that_do_not_fit_are_refused(shapes: list[tuple[int, ...]]) -> None:
    spec = PoseSpec(stride=STRIDE, displacements=(2,) if len(shapes) > 2 else ())
    with pytest.raises(ValueError, match="expected"):
        decode([np.zeros(shape, np.float32) for shape in shapes], spec)


@pytest.mark.parametrize(
    "wrong", [{"offsets": 0}, {"stride": 0.0}, {"max_people": 0}, {"radius": -1.0}]
)
def test_impossible_decoders_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|too small|below 0"):
        PoseSpec(**{"stride": 16.0, **wrong})
