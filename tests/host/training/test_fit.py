"""One stage of training: everything that can be chosen really trains, and ends well."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.history import Epoch, History
from tests.host.training.data.problem import classes, squares

pytestmark = pytest.mark.slow

TABLE = ((np.arange(256.0) - 60) / 60).astype(np.float32)[None]
CONFIG = default_config(
    "resnet8", size=(8, 8), channels="grey", epochs=6, patience=6, batch_size=16, seed=1
)


def _batches(count: int, *, seed: int | None, data_seed: int) -> Batches:
    source = ImageSource(squares(count, seed=data_seed), TABLE)
    return Batches(source=source, lesson=classes(2), batch_size=16, seed=seed)


def _network() -> Any:
    """Return a network so small that a test takes a second."""
    import keras

    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 1), name="image")
    features = keras.layers.Flatten(name="pool")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(features))


def _fit(config: TrainConfig, model: Any = None, *, history: History | None = None) -> History:
    from edgeinfer.host.training.fit import fit

    history = history or History()
    fit(
        model or _network(),
        _batches(64, seed=config.seed, data_seed=0),
        _batches(32, seed=None, data_seed=1),
        config,
        stage="train",
        history=history,
        progress=LineProgress(io.StringIO()),
    )
    return history


@pytest.mark.parametrize(
    "choice",
    [
        {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.03},
        {"optimizer": "adam", "schedule": "step", "learning_rate": 0.01},
        {"optimizer": "adamw", "schedule": "plateau", "learning_rate": 0.01},
        {
            "optimizer": "rmsprop",
            "schedule": "cosine",
            "loss": "focal",
            "label_smoothing": 0.0,
            "learning_rate": 0.003,
        },
    ],
    ids=lambda choice: "-".join(map(str, choice.values())),
)
def test_every_choice_lowers_the_loss(choice: dict[str, Any]) -> None:
    epochs = _fit(replace(CONFIG, **choice)).epochs
    assert epochs[-1].loss < 0.7 * epochs[0].loss
    assert epochs[-1].accuracy > epochs[0].accuracy


def test_the_same_seed_gives_the_same_weights() -> None:
    def weights(seed: int) -> list[NDArray[np.float32]]:
        model = _network()
        _fit(replace(CONFIG, seed=seed, epochs=2), model)
        return [np.asarray(array) for array in model.get_weights()]

    first, again, other = weights(1), weights(1), weights(2)
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(first[0], other[0])


def test_dropout_is_for_training_only() -> None:
    from edgeinfer.host.training.fit import with_dropout

    model = _network()
    dropped = with_dropout(model, 0.5)
    images = np.ones((4, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(dropped(images, training=False), model(images))
    assert not np.allclose(dropped(images, training=True), model(images))
    before = model.get_weights()[0]
    _fit(replace(CONFIG, epochs=1), dropped)
    assert not np.array_equal(before, model.get_weights()[0])
    assert [layer.name for layer in model.layers] == ["image", "pool", "logits"]


def test_it_stops_early_and_keeps_the_best_weights() -> None:
    from edgeinfer.host.training.fit import evaluate

    # Far too large a rate: the loss rises after some epoch.
    config = replace(
        CONFIG, optimizer="sgd", schedule="constant", learning_rate=3.0, epochs=40, patience=3
    )
    model = _network()
    epochs = _fit(config, model).epochs
    losses = [epoch.val_loss for epoch in epochs]
    assert len(epochs) < 40
    assert len(epochs) - 1 - int(np.argmin(losses)) == 3
    score = evaluate(model, _batches(32, seed=None, data_seed=1))
    assert score.loss == pytest.approx(min(losses), rel=1e-5)


def test_a_loss_that_is_not_a_number_stops_with_advice() -> None:
    # A gradient of infinite length at the first step: the weights overflow.
    model = _network()
    model.set_weights([np.full_like(array, 1e38) for array in model.get_weights()])
    config = replace(CONFIG, optimizer="sgd", learning_rate=10.0, label_smoothing=0.1)
    with pytest.raises(
        TrainingError,
        match=r"train epoch 1, step 1 of 4: the loss became nan.*--learning-rate.*--clip-norm",
    ):
        _fit(config, model)


def test_the_history_is_on_disk_after_every_epoch(tmp_path: Path) -> None:
    _fit(replace(CONFIG, epochs=2), history=History(tmp_path))
    rows = json.loads((tmp_path / "history.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2]
    assert Epoch(**rows[0]).stage == "train"
    with (tmp_path / "history.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [float(row["val_loss"]) for row in table] == [row["val_loss"] for row in rows]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step", "plateau"])
def test_schedules_rise_once(schedule: str) -> None:
    from edgeinfer.host.training.optimizing.schedules import learning_rate_factor

    factors = [learning_rate_factor(schedule, step, warmup=10, total=100) for step in range(100)]
    assert np.all(np.diff(factors[:11]) > 0)
    assert factors[10] == 1.0
    assert np.all(np.diff(factors[10:]) <= 0)
    ends = {"constant": 1.0, "cosine": 0.0003, "step": 0.01, "plateau": 1.0}
    assert factors[-1] == pytest.approx(ends[schedule], abs=1e-4)


def test_the_plateau_lowers_the_rate_when_the_loss_stalls() -> None:
    config = replace(
        CONFIG, schedule="plateau", optimizer="sgd", learning_rate=3.0, epochs=12, patience=6
    )
    rates = [epoch.learning_rate for epoch in _fit(config).epochs]
    assert min(rates) < 0.5 * max(rates)
