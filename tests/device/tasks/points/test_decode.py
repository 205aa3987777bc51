"""Scores of cells to points: whatever a network may give, quantized or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.cells import MOST_CANDIDATES
from edgeinfer.device.tasks.points.prediction import Points
from edgeinfer.device.tasks.points.task import TASK
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder, GridSpec, PointsSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog")
STRIDE, ROWS, COLUMNS = 8, 4, 6
SIZE = (COLUMNS * STRIDE, ROWS * STRIDE)
SPEC = PointsSpec(stride=STRIDE, side=0.25, min_score=0.5)
SHAPES = ((1, ROWS, COLUMNS, 2), (1, ROWS, COLUMNS, 2))

Thing = tuple[float, int, float, float]
"""Score, class, x and y."""


def said(spec: PointsSpec = SPEC) -> Said:
    return Said(labels=LABELS, decoder=Decoder(points=spec))


def empty() -> list[NDArray[np.float32]]:
    """Return outputs without anything."""
    return [np.full(SHAPES[0], -9.0, np.float32), np.zeros(SHAPES[1], np.float32)]


def described(
    outputs: Sequence[NDArray[Any]], scales: tuple[float, int] = (0.0, 0)
) -> list[TensorSpec]:
    return [
        TensorSpec(
            name=f"x{number}",
            shape=output.shape,
            dtype=output.dtype.name,  # type: ignore[arg-type]
            scale=scales[0],
            zero_point=scales[1],
        )
        for number, output in enumerate(outputs)
    ]


def decode(
    outputs: Sequence[NDArray[Any]], spec: PointsSpec = SPEC, scales: tuple[float, int] = (0.0, 0)
) -> Points:
    tensors = described(outputs, scales)
    answer = make_decode("points", said(spec), tensors, PreprocessSpec(size=SIZE))(list(outputs))
    assert isinstance(answer, Points)
    return answer


def table(found: Points) -> NDArray[np.float64]:
    """Return (things, 4): what `Thing` has."""
    centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    return np.column_stack([found.scores, found.classes, centres])


def plainly(logits: NDArray[np.float64], ways: NDArray[np.float64], least: float) -> list[Thing]:
    """Return the same, cell by cell."""
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            for kind in range(len(LABELS)):
                own, score = logits[row, column, kind], 0.0
                if not math.isnan(own):
                    score = 1 / (1 + math.exp(-min(max(own, -700.0), 700.0)))
                beaten = any(
                    logits[y, x, kind] > own
                    or (logits[y, x, kind] == own and (y, x) < (row, column))
                    for y in range(max(row - 1, 0), min(row + 2, ROWS))
                    for x in range(max(column - 1, 0), min(column + 2, COLUMNS))
                )
                way = ways[row, column]
                if math.isnan(own) or score < least or beaten or not np.isfinite(way).all():
                    continue
                x = (column + 0.5 + way[0]) * STRIDE
                y = (row + 0.5 + way[1]) * STRIDE
                inside = [min(max(v, 0.5), n - 0.5) for v, n in zip((x, y), SIZE, strict=True)]
                found.append((score, kind, *inside))
    found.sort(key=lambda one: -one[0])
    kept: list[Thing] = []
    for one in found:
        if all(one[1] != other[1] or math.dist(one[2:], other[2:]) >= STRIDE for other in kept):
            kept.append(one)
    return kept


def test_a_peak_is_a_square_around_its_point() -> None:
    outputs = empty()
    outputs[0][0, 2, 3, 1] = 1.0
    outputs[1][0, 2, 3] = (0.25, -0.5)
    found = decode(outputs)
    assert found.names == ["dog"]
    assert found.scores.tolist() == pytest.approx([1 / (1 + math.exp(-1))])
    half = 0.25 * math.sqrt(SIZE[0] * SIZE[1]) / 2
    x, y = (3.75 * STRIDE, 2 * STRIDE)
    assert found.boxes[0].tolist() == pytest.approx([x - half, y - half, x + half, y + half])


def test_of_a_hill_the_top_counts_and_classes_are_apart() -> None:
    outputs = empty()
    outputs[0][0, 1, 1:4, 0] = [1.0, 2.0, 1.5]
    assert len(decode(outputs)) == 1
    outputs[0][0, 1, 3, 1] = 1.0
    assert decode(outputs).names == ["cat", "dog"]


def test_of_equal_neighbours_one_counts() -> None:
    for cells in ([(1, 1), (1, 2)], [(0, 0), (0, 1), (1, 0), (1, 1)], [(2, 3), (1, 4)]):
        outputs = empty()
        for row, column in cells:
            outputs[0][0, row, column, 0] = 2.0
        assert len(decode(outputs)) == 1


def test_peaks_that_point_to_one_place_are_one_thing() -> None:
    outputs = empty()
    outputs[0][0, 1, 1, 0], outputs[0][0, 1, 3, 0] = 2.0, 1.0
    assert len(decode(outputs)) == 2
    outputs[1][0, 1, 1], outputs[1][0, 1, 3] = (0.9, 0.0), (-0.9, 0.0)
    assert decode(outputs).scores.tolist() == pytest.approx([1 / (1 + math.exp(-2))])
    outputs[0][0, 1, 3] = (-9.0, 1.0)
    assert decode(outputs).names == ["cat", "dog"]
    assert len(decode(outputs, replace(SPEC, max_objects=1))) == 1


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.98), st.booleans())
def test_points_are_those_of_a_plain_reading(seed: int, least: float, coarse: bool) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (ROWS, COLUMNS, len(LABELS)))
    if coarse:
        logits = np.rint(logits)  # many are equal
    ways = generator.normal(0, 1, (ROWS, COLUMNS, 2))
    outputs = [logits[None].astype(np.float32), ways[None].astype(np.float32)]
    exact = [part[0].astype(np.float64) for part in outputs]
    expected = plainly(exact[0], exact[1], least)
    found = table(decode(outputs, replace(SPEC, min_score=least)))
    assert found == pytest.approx(np.array(expected).reshape(-1, 4))


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_quantized_scores_are_compared_as_real_ones(seed: int, least: float) -> None:
    generator = np.random.default_rng(seed)
    small = [generator.integers(-128, 128, shape).astype(np.int8) for shape in SHAPES]
    scale, zero = 0.06, 11
    real = [(values.astype(np.float64) - zero) * scale for values in small]
    spec = replace(SPEC, min_score=least)
    # A real score at the limit may be rounded to either side.
    if np.abs(real[0] - math.log(least / (1 - least))).min() > 1e-6:
        found = table(decode(small, spec, (scale, zero)))
        again = table(decode([values.astype(np.float32) for values in real], spec))
        assert found == pytest.approx(again, abs=1e-4)


@given(st.integers(0, 2**32 - 1))
def test_any_numbers_give_finite_boxes_with_area(seed: int) -> None:
    generator = np.random.default_rng(seed)
    outputs = [generator.normal(0, 50, shape).astype(np.float32) for shape in SHAPES]
    for output in outputs:
        places = generator.integers(0, output.size, 6)
        output.reshape(-1)[places] = [np.nan, np.inf, -np.inf, 3e38, -3e38, 0]
    for least in (0.0, 0.5, 1.0):
        found = decode(outputs, replace(SPEC, min_score=least))
        assert np.isfinite(found.boxes).all()
        assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
        assert (np.diff(found.scores) <= 0).all()
        assert ((found.scores >= least) & (found.scores <= 1)).all()


def test_many_peaks_are_bounded() -> None:
    side = 70
    logits = np.full((1, side, side, 1), -9.0, np.float32)
    logits[0, ::2, ::2] = 3.0
    outputs = [logits, np.zeros((1, side, side, 2), np.float32)]
    spec = PointsSpec(stride=1, max_objects=1000)
    said = Said(labels=("x",), decoder=Decoder(points=spec))
    decoded = make_decode("points", said, described(outputs), PreprocessSpec(size=(side, side)))
    assert len(decoded(outputs)) == MOST_CANDIDATES < (side // 2) ** 2  # type: ignore[arg-type]


def test_a_box_at_the_edge_keeps_its_centre() -> None:
    outputs = empty()
    outputs[0][0, 0, 0, 0], outputs[0][0, 2, 3, 0] = 2.0, 1.0
    outputs[1][0, 0, 0] = (-0.25, 0.0)
    found = decode(outputs).in_frame((2 * SIZE[0], 4 * SIZE[1]))
    assert table(found)[:, 2:].tolist() == [[4.0, 16.0], [56.0, 80.0]]
    assert (found.boxes >= 0).all()
    assert found.boxes[0].tolist()[::2] == [0.0, 8.0]


def test_what_is_in_the_border_of_a_letterbox_is_left_out() -> None:
    outputs = empty()
    outputs[0][0, 0, 3, 0], outputs[0][0, 2, 3, 1] = 2.0, 1.0
    outputs[1][0, 2, 3] = (0.0, -0.25)
    spec = PreprocessSpec(size=SIZE, crop="letterbox")
    answer = make_decode("points", said(), described(outputs), spec)(outputs)
    assert isinstance(answer, Points)
    assert answer.in_frame((480, 80)).names == ["dog"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"places": 0}, "outputs are"),
        ({"scores": -1}, "outputs are"),
        ({"stride": 0}, "stride is 0"),
        ({"side": 0.0}, "side is 0.0"),
        ({"side": 1.5}, "side is 1.5"),
        ({"min_score": 1.1}, "min_score is 1.1"),
        ({"max_objects": 0}, "max_objects is 0"),
    ],
)
def test_impossible_descriptions_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SPEC, **change)


def test_outputs_that_do_not_fit_are_refused() -> None:
    good = described(empty())
    TASK.check_outputs(said(), good)
    with pytest.raises(ValueError, match="1 outputs, expected output 1"):
        TASK.check_outputs(said(), good[:1])
    with pytest.raises(ValueError, match="for 1 labels"):
        TASK.check_outputs(replace(said(), labels=("cat",)), good)
    with pytest.raises(ValueError, match="expected cells that fill it"):
        make_decode("points", said(), good, PreprocessSpec(size=(32, 32)))
    for decoder in (
        Decoder(),
        Decoder(points=SPEC, grids=GridSpec(strides=(8,), boxes=(0,), scores=(1,))),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            TASK.check(Said(labels=LABELS, decoder=decoder))


def test_the_score_is_adjusted_and_shown() -> None:
    adjusted = TASK.adjusted(said(), AnswerOptions(min_score=0.2))
    assert adjusted.decoder.points == replace(SPEC, min_score=0.2)
    assert TASK.adjusted(said(), AnswerOptions()) == said()
    with pytest.raises(UsageError, match="--iou: is given for a model of task 'points'"):
        TASK.adjusted(said(), AnswerOptions(iou=0.5))
    rows = dict(TASK.rows(adjusted))
    assert rows["outputs"] == "every 8 px: scores 0, places 1"
    assert (rows["drawn side"], rows["min score"]) == ("25.0% of the image", "0.2")
    assert TASK.schema(said()) == 4
