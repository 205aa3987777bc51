"""A trained run for tests that build and train candidates with Keras."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, TrainedModel, write_trained
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.data.dataset import prepare_folder
from edgeinfer.host.training.config import default_config
from edgeinfer.host.training.train import METRIC_ACCURACY
from tests.host.training.data.problem import small_network, squares
from tests.support.made_once import made_once

LABELS = ("left", "right")
RUN_SIZE = (24, 24)
EPOCH_S = 1e5
"""What an epoch of the run took, it says: with ten times as much, a candidate gets two epochs."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `edgeinfer train` would have left of forty pictures; not to be changed."""
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    return made_once(tmp_path_factory, "squares_run", _write) / "run"


def _write(root: Path) -> None:
    data = squares(40, side=24, depth=3)
    for index, (pixels, label) in enumerate(zip(data.pixels, data.rows, strict=True)):
        folder = root / "pictures" / LABELS[label]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:02}.png").write_bytes(encode_png(pixels))
    model, generator = small_network(RUN_SIZE[0]), np.random.default_rng(0)
    for variable in model.weights:
        if len(variable.shape) == 1:  # biases and statistics, which training would have moved
            value = np.asarray(variable)
            variable.assign(value + generator.uniform(0.01, 0.2, value.shape))
    run = root / "run"
    run.mkdir()
    model.save(run / KERAS_FILE)
    config = default_config("small-cnn", size=RUN_SIZE, epochs=2, batch_size=8)
    trained = TrainedModel(
        name=run.name,
        labels=LABELS,
        preprocess=PreprocessSpec(size=RUN_SIZE, mean=(60.0,) * 3, std=(50.0,) * 3),
        provenance={f"setting.{name}": value for name, value in config.settings().items()},
        metrics={METRIC_ACCURACY: 0.5},
    )
    write_trained(run, trained, prepare_folder(root / "pictures", seed=0).splits)
    (run / "history.json").write_text(json.dumps([{"stage": "train", "seconds": EPOCH_S}]))
