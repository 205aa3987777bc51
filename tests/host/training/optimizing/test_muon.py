"""Muon: matrices take orthogonal steps, all other weights those of AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

RATE = 0.01


def _network() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(6, 3, use_bias=False, name="stem")(inputs)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = layers.Flatten()(layers.BatchNormalization(name="bn")(x))
    x = layers.Dense(5, activation="relu", name="dense")(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


def _compiled(optimizer: str) -> Any:
    from edgeinfer.host.training.config import default_config
    from edgeinfer.host.training.optimizing.optimizers import make_optimizer

    model = _network()
    config = default_config("resnet8", optimizer=optimizer, learning_rate=RATE, weight_decay=0.0)
    model.compile(optimizer=make_optimizer(config), loss="mse")
    return model


def _batch() -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    pictures = generator.standard_normal((16, 8, 8, 1)).astype(np.float32)
    return pictures, pictures[:, :2, 0, 0] - pictures[:, 4:6, 3, 0]


def _steps(model: Any) -> dict[str, Any]:
    """Return how much the first step changes each weight."""
    before = {weight.path: np.array(weight) for weight in model.trainable_weights}
    model.train_on_batch(*_batch())
    return {w.path: np.array(w) - before[w.path] for w in model.trainable_weights}


@pytest.mark.parametrize("shape", [(7, 7, 1, 32), (3, 3, 64, 96), (128, 64), (64, 128), (3, 2)])
def test_the_singular_values_of_a_step_are_near_one(shape: tuple[int, ...]) -> None:
    from edgeinfer.host.training.optimizing.muon import muon_step

    direction = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    step = np.asarray(muon_step(1000 * direction))
    assert step.shape == shape
    matrix = step.reshape(-1, shape[-1])
    scale = 0.2 * np.sqrt(max(matrix.shape))
    values = np.linalg.svd(matrix, compute_uv=False) / scale
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert (direction * step).sum() > 0
    np.testing.assert_allclose(step, np.asarray(muon_step(direction)), atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 3, 8, 16), True),
        ((7, 7, 1, 32), True),
        ((64, 128), True),
        ((3, 3, 16, 1), False),  # depthwise
        ((64, 1), False),
        ((64,), False),
        ((8, 8, 96, 256), False),  # too large
    ],
)
def test_which_weights_are_matrices(shape: tuple[int, ...], expected: bool) -> None:
    from edgeinfer.host.training.optimizing.muon import is_matrix

    assert is_matrix(shape) is expected


def test_matrices_step_by_muon_and_the_rest_by_adamw() -> None:
    mine, theirs = _steps(_compiled("muon")), _steps(_compiled("adamw"))
    assert mine.keys() == theirs.keys()
    for path, step in mine.items():
        if path in {"stem/kernel", "dense/kernel"}:
            matrix = step.reshape(-1, step.shape[-1])
            values = np.linalg.svd(matrix, compute_uv=False) / (0.2 * np.sqrt(max(matrix.shape)))
            assert values.max() / RATE == pytest.approx(1, abs=0.3), path
            assert not np.allclose(step, theirs[path], rtol=0.1)
        else:
            np.testing.assert_allclose(step, theirs[path], rtol=1e-3, atol=1e-7, err_msg=path)


def test_its_state_goes_on_in_another_process() -> None:
    one, other = _compiled("muon"), _compiled("muon")
    for _ in range(3):
        one.train_on_batch(*_batch())
    other.optimizer.build(other.trainable_variables)
    other.set_weights(one.get_weights())
    for mine, theirs in zip(other.optimizer.variables, one.optimizer.variables, strict=True):
        mine.assign(theirs)
    for model in (one, other):
        model.train_on_batch(*_batch())
    for mine, theirs in zip(other.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_it_lowers_the_loss() -> None:
    model, losses = _compiled("muon"), []
    for _ in range(40):
        losses.append(float(model.train_on_batch(*_batch())))
    assert losses[-1] < 0.2 * losses[0]
