"""Points are followed, counted, smoothed and seen in tiles as the objects of a detector are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from edgeinfer.device.loop.following.follower import Follow, Follower, require_followed
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.smoothing import require_smooth
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.preprocess.tiles import tiled
from edgeinfer.device.tasks.detection.tiles import answered_tiles
from edgeinfer.device.tasks.points.prediction import Points

MODEL, FRAME = PreprocessSpec(size=(100, 100)), (200, 100)


def points(*centres: tuple[float, float], side: float = 10.0) -> Points:
    """Return an answer in the model's own image."""
    table = np.array(centres, np.float64).reshape(-1, 2)
    return Points(
        labels=("ant",),
        boxes=np.concatenate([table - side / 2, table + side / 2], axis=1),
        classes=np.zeros(len(table), np.int64),
        scores=np.linspace(0.9, 0.8, len(table)),
        size=MODEL.size,
        placing=partial(place, MODEL),
    )


def test_what_crosses_a_line_is_counted() -> None:
    require_followed("points")
    follower = Follower(Follow(lines={"door": ((0.5, 0), (0.5, 1))}))
    for step in range(12):
        frame = Frame(
            pixels=np.zeros((2, 2, 3), np.uint8), sequence=step, captured_ns=step * 200_000_000
        )
        found = points((25 + 5 * step, 50)).in_frame(FRAME)
        prediction = follower(Answer(frame=frame, prediction=found, age_ms=1.0)).prediction
    assert isinstance(prediction, Points)
    assert prediction.text() == "#1 ant 90.0%; door: 0 ant in, 1 out"
    assert prediction.quantities()["out(ant, door)"] == 1


def test_a_point_of_one_frame_is_left_out() -> None:
    require_smooth("points", 3)
    frames = [points((20, 20)), points((21, 20), (80, 80)), points((22, 20))]
    placed = [one.in_frame(FRAME) for one in frames]
    smooth = placed[2].smoothed(placed[:2])
    assert smooth.boxes == pytest.approx(placed[2].boxes)


def test_what_two_tiles_see_is_one_thing() -> None:
    specs = tiled(MODEL, (2, 1)).parts
    at = np.array([[100.0, 40.0], [30.0, 70.0]])
    answers = []
    for spec in specs:
        placement = place(spec, FRAME)
        own = placement.from_frame(at)
        inside = ((own > 0) & (own < 100)).all(axis=1)
        answers.append(points(*map(tuple, own[inside].tolist())))
    assert sum(map(len, answers)) == 3
    found = answered_tiles(answers, specs).in_frame(FRAME)
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    assert sorted(map(tuple, centres.round(6).tolist())) == sorted(map(tuple, at.tolist()))
