"""Boxes and scores of cells to objects: whatever a model may give, quantized or not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.cells import MOST_CANDIDATES
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.registry import find_task, make_decode
from edgeinfer.device.tasks.spec import CandidateSpec, Decoder, GridSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog")
SIZE = (64, 32)
SPEC = GridSpec(strides=(8, 16), boxes=(0, 2), scores=(1, 3), min_score=0.5, iou=0.5)
SHAPES = ((1, 4, 8, 4), (1, 4, 8, 2), (1, 2, 4, 4), (1, 2, 4, 2))


def said(spec: GridSpec = SPEC) -> Said:
    return Said(labels=LABELS, decoder=Decoder(grids=spec))


def empty() -> list[NDArray[np.float32]]:
    """Return outputs without any object."""
    return [np.full(shape, -9.0 if shape[3] == 2 else 0.0, np.float32) for shape in SHAPES]


def decode(
    outputs: list[NDArray[Any]], spec: GridSpec = SPEC, scales: tuple[float, int] = (0.0, 0)
) -> Detections:
    tensors = [
        TensorSpec(
            name=f"x{number}",
            shape=output.shape,
            dtype=output.dtype.name,  # type: ignore[arg-type]
            scale=scales[0],
            zero_point=scales[1],
        )
        for number, output in enumerate(outputs)
    ]
    answer = make_decode("detection", said(spec), tensors, PreprocessSpec(size=SIZE))(outputs)
    assert isinstance(answer, Detections)
    return answer


def test_a_cell_answers_with_the_ways_to_four_edges() -> None:
    outputs = empty()
    outputs[1][0, 2, 3, 1] = 1.0
    outputs[0][0, 2, 3] = np.log([1.0, 0.5, 2.0, 1.5])
    outputs[3][0, 0, 1, 0] = 2.0
    outputs[2][0, 0, 1] = np.log([0.25, 0.5, 1.0, 0.75])
    found = decode(outputs)
    assert found.names == ["cat", "dog"]
    assert found.scores.tolist() == pytest.approx([1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-1))])
    # The cells' centres are at (24, 8) and (28, 20).
    assert found.boxes[0].tolist() == pytest.approx([20, 0, 40, 20], abs=1e-5)
    assert found.boxes[1].tolist() == pytest.approx([20, 16, 44, 32], abs=1e-5)


def test_of_two_cells_with_one_thing_the_surer_answers_and_classes_are_apart() -> None:
    outputs = empty()
    outputs[1][0, 1, 1:4, 0] = [1.0, 2.0, 1.0]
    outputs[0][0, 1, 1:4] = np.log(2.0)
    outputs[0][0, 1, 1, 2], outputs[0][0, 1, 3, 0] = np.log(3.0), np.log(3.0)
    assert decode(outputs).scores.tolist() == pytest.approx([1 / (1 + math.exp(-2))])
    outputs[1][0, 1, 3] = [-9.0, 1.0]
    assert decode(outputs).names == ["cat", "dog"]
    assert len(decode(outputs, replace(SPEC, iou=1.0))) == 3
    assert len(decode(outputs, replace(SPEC, iou=1.0, max_objects=2))) == 2


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.98))
def test_quantized_scores_are_compared_as_real_ones(seed: int, least: float) -> None:
    generator = np.random.default_rng(seed)
    small = [generator.integers(-128, 128, shape).astype(np.int8) for shape in SHAPES]
    spec = replace(SPEC, min_score=least, iou=1.0, max_objects=1000)
    scale, zero = 0.06, 11
    real = [((values.astype(np.float64) - zero) * scale) for values in small]
    found = decode(small, spec, (scale, zero))
    again = decode([values.astype(np.float32) for values in real], spec)
    # A real score at the limit may be rounded to either side.
    logits = np.concatenate([scores.reshape(-1) for scores in real[1::2]])
    edge = np.abs(logits - math.log(least / (1 - least)))
    if edge.min() > 1e-6:
        assert len(found) == len(again)
        assert np.allclose(np.sort(found.scores), np.sort(again.scores), atol=1e-6)
        wanted = sum(
            int((1 / (1 + np.exp(-scores.max(axis=-1))) >= least).sum()) for scores in real[1::2]
        )
        assert len(found) == wanted


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
        assert np.isfinite(found.scores).all()
        assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
        assert (np.diff(found.scores) <= 0).all()
        assert ((found.scores >= least) & (found.scores <= 1)).all()


def test_many_sure_cells_are_bounded() -> None:
    side = 8 * 48
    shapes = ((1, 48, 48, 4), (1, 48, 48, 2))
    spec = GridSpec(strides=(8,), boxes=(0,), scores=(1,), iou=1.0, max_objects=1000)
    outputs = [np.full(shape, 3.0, np.float32) for shape in shapes]
    outputs[0][:] = -1.0
    tensors = [TensorSpec(name="x", shape=shape, dtype="float32") for shape in shapes]
    answer = make_decode("detection", said(spec), tensors, PreprocessSpec(size=(side, side)))
    found = answer(outputs)
    assert isinstance(found, Detections)
    assert len(found) == MOST_CANDIDATES == 1000 < 48 * 48


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strides": (8,)}, "1 strides, 2 boxes and 2 scores"),
        ({"boxes": (0, 1)}, "outputs are"),
        ({"scores": (-1, 3)}, "outputs are"),
        ({"strides": (0, 16)}, "strides are"),
        ({"min_score": 1.1}, "expected 0 to 1"),
        ({"iou": -0.1}, "expected 0 to 1"),
        ({"max_objects": 0}, "max_objects is 0"),
    ],
)
def test_impossible_descriptions_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SPEC, **change)


def test_outputs_that_do_not_fit_are_refused() -> None:
    task, good = (
        find_task("detection"),
        [TensorSpec(name="x", shape=shape, dtype="float32") for shape in SHAPES],
    )
    task.check_outputs(said(), good)
    with pytest.raises(ValueError, match="2 outputs, expected output 3"):
        task.check_outputs(said(), good[:2])
    swapped = [good[1], good[0], *good[2:]]
    with pytest.raises(ValueError, match=r"of stride 8 are \(1, 4, 8, 2\) and \(1, 4, 8, 4\)"):
        task.check_outputs(said(), swapped)
    with pytest.raises(ValueError, match="expected cells that fill it"):
        make_decode("detection", said(), good, PreprocessSpec(size=(32, 32)))
    both = Said(labels=LABELS, decoder=Decoder(grids=SPEC, candidates=CandidateSpec(classes=2)))
    with pytest.raises(ValueError, match="2 do not fit"):
        task.check(both)


def test_score_and_overlap_are_adjusted_and_shown() -> None:
    task = find_task("detection")
    adjusted = task.adjusted(said(), AnswerOptions(min_score=0.2, iou=0.9))
    assert adjusted.decoder.grids == replace(SPEC, min_score=0.2, iou=0.9)
    rows = dict(task.rows(adjusted))
    assert rows["outputs"] == "every 8 px: boxes 0, scores 1; every 16 px: boxes 2, scores 3"
    assert rows["min score"] == "0.2"
    assert task.schema(said()) == 4
