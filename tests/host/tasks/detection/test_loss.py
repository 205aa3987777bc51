"""Which cells answer for a thing, and that the loss falls as answers get better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.consensus import overlap as device_overlap
from edgeinfer.host.tasks.detection.loss import (
    CELLS,
    assign,
    box_loss,
    complete_overlap,
    found_metric,
    overlap,
)

CLASSES, SIDE = 3, 8
Floats = NDArray[np.float32]


def cells(score: float = -4.0, half: float = 8.0) -> Floats:
    """Return what a network says of one picture of 64 pixels with a grid of stride 8."""
    x, y = np.meshgrid(np.arange(SIDE) * 8 + 4.0, np.arange(SIDE) * 8 + 4.0)
    centres = np.stack([x, y], -1).reshape(1, -1, 2)
    logits = np.full((1, SIDE * SIDE, CLASSES), score)
    parts = [centres, centres - half, centres + half, logits]
    return np.asarray(np.concatenate(parts, -1), np.float32)


def things(*rows: tuple[float, ...]) -> Floats:
    return np.array([rows], np.float32)


def random_boxes(generator: np.random.Generator, count: int) -> Floats:
    first = generator.uniform(0, 50, (count, 2))
    last = first + generator.uniform(0.5, 40, (count, 2))
    return np.asarray(np.concatenate([first, last], 1), np.float32)


@given(st.integers(0, 2**32 - 1))
def test_overlap_is_that_of_the_device(seed: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = random_boxes(generator, 6), random_boxes(generator, 6)
    mine = np.asarray(overlap(one[:, None], other[None]))
    theirs = [[device_overlap(a.astype(float), b.astype(float)) for b in other] for a in one]
    assert mine == pytest.approx(np.array(theirs), abs=1e-4)
    complete = np.asarray(complete_overlap(one, other))
    assert (complete <= np.diag(mine) + 1e-4).all()
    assert np.asarray(complete_overlap(one, one)) == pytest.approx(1.0, abs=1e-4)


def test_the_best_cells_in_a_box_answer_for_it_and_no_others() -> None:
    outputs, targets = cells(), things((9, 8, 47, 41, 2), (0, 0, 0, 0, -1))
    outputs[0, :, 4] += np.linspace(0, 1, SIDE * SIDE)  # so that no two are equally good
    quality, chosen, boxes = (np.asarray(part)[0] for part in assign(targets, outputs))
    centres = outputs[0, :, :2]
    inside = ((centres > (9, 8)) & (centres < (47, 41))).all(axis=1)
    assert 1 <= chosen.sum() <= CELLS
    assert (chosen[~inside] == 0).all()
    assert (quality[:, :2] == 0).all()
    assert (quality[chosen == 0] == 0).all()
    assert (boxes[chosen == 1] == targets[0, 0, :4]).all()
    # The best of them is to score as much as its box overlaps.
    best = np.asarray(overlap(outputs[0, :, 2:6], targets[0, 0, :4]))
    assert quality[:, 2].max() == pytest.approx(best[chosen == 1].max(), abs=1e-4)


def test_a_cell_answers_for_one_thing_and_a_picture_without_any_for_nothing() -> None:
    targets = things((8, 8, 40, 40, 0), (16, 16, 48, 48, 1))
    quality, chosen, _ = (np.asarray(part)[0] for part in assign(targets, cells(half=16.0)))
    assert ((quality > 0).sum(axis=1) <= 1).all()
    assert {int(kind) for kind in quality[chosen == 1].argmax(axis=1)} == {0, 1}
    nothing = things((0, 0, 0, 0, -1))
    quality, chosen, _ = (np.asarray(part)[0] for part in assign(nothing, cells()))
    assert quality.sum() == chosen.sum() == 0


def test_the_loss_falls_with_better_scores_and_better_boxes() -> None:
    targets, loss = things((8, 8, 40, 40, 2)), box_loss()
    plain = cells(half=12.0)
    sure = plain.copy()
    _, chosen, _ = (np.asarray(part) for part in assign(targets, plain))
    sure[0, chosen[0] == 1, 8] = 0.0
    tight = sure.copy()
    tight[0, chosen[0] == 1, 2:6] = targets[0, 0, :4]
    right = tight.copy()
    right[0, chosen[0] == 1, 8] = 4.0
    wrong = right.copy()
    wrong[0, :, 6] = 4.0
    losses = [float(loss(targets, outputs)) for outputs in (plain, sure, tight, right)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 < losses[0]
    assert float(loss(targets, wrong)) > 1.0


@given(st.integers(0, 2**32 - 1))
def test_any_answers_give_finite_gradients(seed: int) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(seed)
    outputs = np.concatenate([cells(), cells()])
    outputs[..., 2:] = generator.normal(0, 10.0 ** generator.integers(0, 5), outputs[..., 2:].shape)
    boxes = random_boxes(generator, 6)
    classes = generator.integers(-1, CLASSES, (6, 1))
    targets = np.concatenate([boxes, classes], 1).astype(np.float32).reshape(2, 3, 5)
    with tf.GradientTape() as tape:
        values = tf.constant(outputs)
        tape.watch(values)
        loss = box_loss()(targets, values)
    assert np.isfinite(float(loss))
    assert np.isfinite(np.asarray(tape.gradient(loss, values))).all()


def test_the_metric_is_the_share_of_boxes_that_are_found() -> None:
    metric = found_metric()
    outputs = cells()
    targets = things((8, 8, 24, 24, 1), (40, 40, 64, 64, 0), (0, 0, 0, 0, -1))
    outputs[0, 1 * SIDE + 1, 7] = 3.0  # its box is (4, 4) to (20, 20): not half of the first
    outputs[0, 6 * SIDE + 6, 6] = 3.0  # (44, 44) to (60, 60): of the second less than half
    metric.update_state(targets, outputs)
    assert float(metric.result()) == 0.0
    outputs[0, 6 * SIDE + 6, 2:6] = (41, 41, 63, 63)
    metric.reset_state()
    metric.update_state(targets, outputs)
    assert float(metric.result()) == 0.5
