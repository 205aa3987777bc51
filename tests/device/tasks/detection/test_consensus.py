"""Objects through several frames: which stay, which go, and where they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.tasks.detection.prediction import Detections

Box = tuple[float, float, float, float]


def seen(*objects: tuple[int, float, Box]) -> Detections:
    ordered = sorted(objects, key=lambda one: -one[1])
    return Detections(
        labels=("cat", "dog"),
        boxes=np.array([box for _, _, box in ordered], np.float64).reshape(-1, 4),
        classes=np.array([label for label, _, _ in ordered], np.int64),
        scores=np.array([score for _, score, _ in ordered], np.float64),
        size=(100, 80),
    )


def consensus(answers: list[Detections]) -> Detections:
    *before, last = answers
    return last.smoothed(before)


CAT: Box = (10, 10, 30, 30)


def test_a_ghost_of_one_frame_goes() -> None:
    told = consensus([seen((0, 0.9, CAT)), seen((0, 0.9, CAT)), seen((0, 0.9, CAT), (1, 0.8, CAT))])
    assert told.names == ["cat"]


def test_an_object_that_one_frame_missed_stays_with_its_latest_box() -> None:
    moved: Box = (12, 10, 32, 30)
    told = consensus([seen((0, 0.6, CAT)), seen((0, 0.8, moved)), seen()])
    assert told.boxes.tolist() == [list(moved)]
    np.testing.assert_allclose(told.scores, [0.7])


def test_what_moves_is_one_object_and_its_box_does_not_trail() -> None:
    frames = [seen((0, 0.5, (10.0 + 6 * t, 10, 30.0 + 6 * t, 30))) for t in range(5)]
    assert consensus(frames).boxes.tolist() == [[34, 10, 54, 30]]


def test_two_of_a_class_stay_two_and_the_surest_comes_first() -> None:
    other: Box = (22, 10, 42, 30)
    told = consensus([seen((0, 0.5, CAT), (0, 0.9, other))] * 3)
    assert told.boxes.tolist() == [list(other), list(CAT)]


def test_half_of_the_frames_are_not_enough() -> None:
    assert len(consensus([seen((0, 0.9, CAT)), seen()])) == 0


coordinate = st.floats(0, 50, allow_nan=False, width=16)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.floats(0, 1, width=16), coordinate, coordinate), max_size=6
    ),
    st.integers(1, 4),
)
def test_frames_that_agree_are_the_answer(
    objects: list[tuple[int, float, float, float]], frames: int
) -> None:
    one = seen(*((label, score, (x, y, x + 20, y + 20)) for label, score, x, y in objects))
    told = consensus([one] * frames)
    assert sorted(map(tuple, told.boxes.tolist())) == sorted(map(tuple, one.boxes.tolist()))
    np.testing.assert_allclose(np.sort(told.scores), np.sort(one.scores), atol=1e-12)
