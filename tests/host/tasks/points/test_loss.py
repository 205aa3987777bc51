"""What each cell is to score, and that the loss falls as answers get better."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.host.tasks.points.loss import LEAST_SCORE, centres_loss, found_metric, hills
from edgeinfer.host.tasks.points.network import STRIDE

CLASSES, SIDE = 3, 6
NOTHING = (0, 0, 0, 0, -1)
Floats = NDArray[np.float32]


def cells(score: float = -4.0) -> Floats:
    """Return what a network says of one picture; each point is the centre of its cell."""
    along = (np.arange(SIDE) + 0.5) * STRIDE
    centres = np.stack(np.meshgrid(along, along), -1).reshape(1, -1, 2)
    logits = np.full((1, SIDE * SIDE, CLASSES), score)
    return np.asarray(np.concatenate([centres, centres, logits], -1), np.float32)


def things(*rows: tuple[float, ...]) -> Floats:
    return np.array([rows], np.float32)


def test_a_hill_is_one_where_the_centre_is_and_wider_for_large_things() -> None:
    small, large = (30, 30, 36, 36, 1), (0, 24, 96, 72, 0)
    height = np.asarray(hills(things(small, large, NOTHING), cells()))[0].reshape(3, SIDE, SIDE)
    assert height[0, 2, 2] == height[1, 3, 3] == 1.0  # (33, 33) and (48, 48)
    # The next cell of the small thing: 23 pixels away at a deviation of half a stride.
    assert height[0, 2, 3] == pytest.approx(
        math.exp(-((56 - 33) ** 2 + (40 - 33) ** 2) / 2 / 8**2), rel=1e-4
    )
    # The large one is 12 pixels wide across, and 8 down.
    assert height[1, 3, 2] == pytest.approx(math.exp(-(8**2 / 12**2 + 8**2 / 8**2) / 2), rel=1e-4)
    assert height[1, 2, 3] == height[1, 3, 2] == height[1, 2, 2]
    assert (height[2] == 0).all()


@given(st.floats(0, 95.5), st.floats(0, 95.5))
def test_each_centre_is_in_one_cell(x: float, y: float) -> None:
    box = np.array([x, y, x + 0.4, y + 0.4], np.float32)
    height = np.asarray(hills(things((*box.tolist(), 0)), cells()))
    assert (height == 1.0).sum() >= 1
    middle = (box[:2] + box[2:]) / 2
    column, row = (middle // STRIDE).astype(int)
    assert height.reshape(SIDE, SIDE)[row, column] == 1.0


def test_the_loss_falls_with_better_scores_and_better_places() -> None:
    targets, loss = things((37, 37, 43, 43, 2)), centres_loss()
    cell = 2 * SIDE + 2
    plain = cells()
    plain[0, cell, 2:4] = 50.0
    sure = plain.copy()
    sure[0, cell, 6] = 4.0
    right = sure.copy()
    right[0, cell, 2:4] = 40.0
    wrong = right.copy()
    wrong[0, :, 4] = 4.0
    losses = [float(loss(targets, outputs)) for outputs in (plain, sure, right)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 < losses[0]
    assert float(loss(targets, wrong)) > 1.0


def test_a_loss_is_that_of_a_thing_however_many_there_are() -> None:
    loss = centres_loss()
    one = float(loss(things((30, 30, 36, 36, 2)), cells()))
    two = things((30, 30, 36, 36, 2), (78, 78, 84, 84, 2))
    assert float(loss(two, cells())) == pytest.approx(one, rel=0.02)
    assert float(loss(things(NOTHING), cells())) == pytest.approx(0.0, abs=1e-2)


@given(st.integers(0, 2**32 - 1))
def test_any_answers_give_finite_gradients(seed: int) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(seed)
    outputs = np.concatenate([cells(), cells()])
    outputs[..., 2:] = generator.normal(0, 10.0 ** generator.integers(0, 5), outputs[..., 2:].shape)
    first = generator.uniform(0, 60, (6, 2))
    boxes = np.concatenate([first, first + generator.uniform(0.5, 35, (6, 2))], 1)
    classes = generator.integers(-1, CLASSES, (6, 1))
    targets = np.concatenate([boxes, classes], 1).astype(np.float32).reshape(2, 3, 5)
    with tf.GradientTape() as tape:
        values = tf.constant(outputs)
        tape.watch(values)
        loss = centres_loss()(targets, values)
    assert np.isfinite(float(loss))
    assert np.isfinite(np.asarray(tape.gradient(loss, values))).all()


def test_the_metric_is_the_share_of_things_that_are_found() -> None:
    metric, outputs = found_metric(), cells()
    targets = things((16, 16, 48, 48, 1), (65, 65, 69, 69, 0), NOTHING)

    def found() -> float:
        metric.reset_state()
        metric.update_state(targets, outputs)
        return float(metric.result())

    assert found() == 0.0
    logit = math.log(LEAST_SCORE / (1 - LEAST_SCORE))
    outputs[0, 2 * SIDE + 2, 5] = logit + 0.01
    assert found() == 0.5
    outputs[0, 1 * SIDE + 1, 5] = 3.0
    outputs[0, 1 * SIDE + 1, 2:4] = 60.0  # the surest counts, and points elsewhere
    assert found() == 0.0
    # No cell has its centre in the second thing: the one around it counts.
    outputs[0, 4 * SIDE + 4, 4] = 1.0
    assert found() == 0.0
    outputs[0, 4 * SIDE + 4, 2:4] = 67.0
    assert found() == 0.5
