"""A network that chooses among readings learns its choice, and answers with the value alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.host.models import build_model
from edgeinfer.host.models.spatial_cnn import REACH, READINGS
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.value.choices import choice_loss
from edgeinfer.host.tasks.value.task import TASK, TaughtValue

pytestmark = pytest.mark.slow

TRUE = np.array([[0.0, 0.5], [-0.9, 0.98]], np.float32)


def outputs_at(centres: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return what a learner says that chooses readings about centres."""
    readings = np.linspace(-REACH, REACH, READINGS)
    shares = np.exp(-0.5 * ((centres[..., None] - readings) / width) ** 2)
    shares /= shares.sum(axis=-1, keepdims=True)
    values = shares @ readings
    whole = np.concatenate([values, shares.reshape(len(centres), -1)], axis=1)
    return np.asarray(whole, np.float32)


@pytest.mark.parametrize("name", TaughtValue.losses)
def test_the_choice_counts_next_to_the_value(name: str) -> None:
    loss = TASK.loss(LossSettings(name=name))
    narrow, wide = (outputs_at(TRUE, width) for width in (0.03, 0.6))
    wide[:, :2] = narrow[:, :2]  # the values are the same
    assert float(loss(TRUE, narrow)) < float(loss(TRUE, wide))
    assert float(loss(TRUE, narrow[:, :2])) == pytest.approx(float(loss(TRUE, wide[:, :2])))


def test_the_choice_is_best_at_the_truth() -> None:
    at_truth, off, far = (
        np.asarray(choice_loss(TRUE, outputs_at(TRUE + np.float32(step), 0.033)))
        for step in (0.0, 0.1, 0.5)
    )
    assert np.all(at_truth < off)
    assert np.all(off < far)
    assert choice_loss(TRUE, TRUE) is None


def test_the_metric_is_that_of_the_values() -> None:
    whole, alone = TASK.metric(), TASK.metric()
    outputs = outputs_at(TRUE + np.float32(0.1), 0.033)
    whole.update_state(TRUE, outputs)
    alone.update_state(TRUE, outputs[:, :2])
    assert float(whole.result()) == pytest.approx(float(alone.result()))


def test_a_learner_begins_with_the_network_s_own_numbers() -> None:
    picture = np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype(np.float32)
    network = build_model("spatial-cnn", input_shape=(32, 32, 1), classes=2, width=0.25)
    learner = TASK.learner(network)
    said = np.asarray(learner(picture))
    assert said.shape == (2, 2 + 2 * READINGS)
    np.testing.assert_allclose(said[:, :2], np.asarray(network(picture)), atol=1e-6)
    other = build_model("small-cnn", input_shape=(32, 32, 1), classes=2, width=0.25)
    assert TASK.learner(other) is other
