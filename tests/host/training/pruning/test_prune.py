"""prune(): a trained run in, a smaller run out that convert can take."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeinfer
from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    Split,
    TrainedModel,
    read_samples,
    read_trained,
    write_trained,
)
from edgeinfer.device.core.errors import ConversionError, DataError, ModelError, UsageError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.pruning.config import PruneConfig
from edgeinfer.host.training.pruning.prune import prune, training_settings
from tests.host.training.data.problem import small_network, squares

LABELS = ("left", "right")
SPLITS: dict[Split, int] = {"train": 32, "validation": 8, "test": 8}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `edgeinfer train` would have left after a very short training."""
    pytest.importorskip("tensorflow", reason="pruning needs the host extra")
    root = tmp_path_factory.mktemp("squares")
    data = squares(sum(SPLITS.values()), side=16, depth=3)
    samples: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    places = [split for split, count in SPLITS.items() for _ in range(count)]
    for index, (split, pixels) in enumerate(zip(places, data.pixels, strict=True)):
        path = root / f"{index:02}.png"
        path.write_bytes(encode_png(pixels))
        samples[split].append(Sample(source=str(path), target=int(data.rows[index])))
    folder = root / "run"
    folder.mkdir()
    small_network(16).save(folder / KERAS_FILE)
    facts = {"setting.architecture": "small-cnn", "setting.augment": "none", "data": "squares"}
    trained = TrainedModel(
        name="squares",
        labels=LABELS,
        preprocess=PreprocessSpec(size=(16, 16)),
        provenance=facts,
        metrics={"validation.keras.top1": 0.5},
    )
    write_trained(folder, trained, samples)
    return folder


def _quiet() -> LineProgress:
    return LineProgress(io.StringIO())


def _config(**settings: Any) -> PruneConfig:
    short = {"steps": 2, "step_epochs": 1, "epochs": 1, "batch_size": 8, "multiple": 4}
    return PruneConfig(**{**short, **settings})


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_pruned_run_is_a_run_like_any_other(run: Path, tmp_path: Path) -> None:
    import keras

    before = _contents(run)
    out = tmp_path / "small"
    told = io.StringIO()
    teacher = TeacherConfig(run=run, weight=0.5)
    config = _config(keep_cost=0.5)
    returned = edgeinfer.prune(
        str(run), str(out), config, teacher=teacher, progress=LineProgress(told)
    )
    assert os.listdir(tmp_path) == ["small"]
    assert _contents(run) == before
    files = {"data.json", KERAS_FILE, "history.csv", "history.json", "samples.csv", "trained.json"}
    files |= {"report.html", "MODEL_CARD.md"}
    assert set(os.listdir(out)) == files
    trained = read_trained(out)
    assert trained == returned
    assert (trained.name, trained.labels) == ("small", LABELS)
    assert read_samples(out) == read_samples(run)
    facts = trained.provenance
    assert facts["prune.run"] == "squares"
    assert facts["prune.keep_cost"] == "0.5"
    assert facts["prune.importance"] == "taylor"
    assert facts["teacher.weight"] == "0.5"
    assert facts["prune.epochs-done"] == "2"
    assert facts["data"] == "squares"
    old, new = (keras.saving.load_model(folder / KERAS_FILE) for folder in (run, out))
    assert facts["parameters"] == str(new.count_params())
    assert new.count_params() < 0.8 * old.count_params()
    assert (new.input_shape, new.output_shape) == (old.input_shape, old.output_shape)
    assert all(layer.trainable for layer in new.layers)
    for layer in new.layers:
        assert getattr(layer, "filters", 4) % 4 == 0
        assert isinstance(layer, type(old.get_layer(layer.name)))
    assert 0 < trained.metrics["prune.macs-share"] < 0.75
    assert 0 <= trained.metrics["validation.keras.top1"] <= 1
    history = json.loads((out / "history.json").read_text())
    assert [epoch["stage"] for epoch in history] == ["prune-1", "prune-2"]
    assert "cut 2 of 2" in told.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("sparsity", "zeros"), [("2:4", 0.5), ("0.75", 0.75)])
def test_sparsity_leaves_zeros_and_every_channel(
    run: Path, tmp_path: Path, sparsity: str, zeros: float
) -> None:
    import keras

    out = tmp_path / "zeros"
    trained = prune(run, _config(sparsity=sparsity), out, progress=_quiet())
    old, new = (keras.saving.load_model(folder / KERAS_FILE) for folder in (run, out))
    assert new.count_params() == old.count_params()
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    kernels = [np.asarray(layer.kernel) for layer in new.layers if type(layer) in kinds]
    # The first convolution reads three channels, which make no block of four.
    for kernel in kernels[":" in sparsity :]:
        assert np.mean(kernel == 0) == pytest.approx(zeros, abs=0.02)
    whole = np.concatenate([kernel.ravel() for kernel in kernels])
    assert trained.metrics["prune.zeros"] == pytest.approx(np.mean(whole == 0))
    assert trained.metrics["prune.macs-share"] == 1.0
    assert trained.provenance["prune.epochs-done"] == "1"


@pytest.mark.slow
def test_another_input_size_without_any_training(run: Path, tmp_path: Path) -> None:
    import keras

    out = tmp_path / "small"
    config = _config(keep_cost=1.0, size=(12, 10), steps=1, epochs=0, importance="l1")
    trained = prune(run, config, out, progress=_quiet())
    assert trained.preprocess.size == (12, 10)
    model = keras.saving.load_model(out / KERAS_FILE)
    assert model.input_shape == (None, 10, 12, 3)
    assert 0.3 < trained.metrics["prune.macs-share"] < 0.7
    assert trained.provenance["prune.epochs-done"] == "0"


class _Interrupted(LineProgress):
    """A person who presses Ctrl-C in the first epoch."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        if "epoch 1" in note:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(run: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        prune(
            run,
            _config(keep_cost=0.6, importance="l1"),
            tmp_path / "small",
            progress=_Interrupted(io.StringIO()),
        )
    assert not os.listdir(tmp_path)


def _copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def _truncated(folder: Path) -> None:
    path = folder / KERAS_FILE
    path.write_bytes(path.read_bytes()[:1000])


def _without_model(folder: Path) -> None:
    (folder / KERAS_FILE).unlink()


def _without_a_sample(folder: Path) -> None:
    samples = read_samples(folder)
    samples["train"][3] = Sample(source=str(folder / "gone.png"), target=0)
    write_trained(folder, read_trained(folder), samples)


def _other_model(folder: Path) -> None:
    import keras

    image = keras.Input((8, 8, 3))
    keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image))).save(
        folder / KERAS_FILE
    )


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (shutil.rmtree, ModelError, "copy"),
        (_truncated, ModelError, "cannot be loaded"),
        (_without_model, ModelError, KERAS_FILE),
        (_without_a_sample, DataError, "gone.png"),
        (_other_model, ModelError, r"takes \(8, 8, 3\)"),
    ],
)
def test_a_damaged_run_is_refused_and_nothing_left(
    run: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    error: type[Exception],
    says: str,
) -> None:
    folder = _copy(run, tmp_path)
    damage(folder)
    before = set(os.listdir(tmp_path))
    with pytest.raises(error, match=says):
        prune(folder, _config(keep_cost=0.5), tmp_path / "small", progress=_quiet())
    assert set(os.listdir(tmp_path)) == before


def test_the_run_itself_is_not_a_place_for_the_pruned_one(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    for out in (run, tmp_path / "link", run / ".." / run.name):
        with pytest.raises(UsageError, match="--out: is the run to prune"):
            prune(run, _config(keep_cost=0.5), out, progress=_quiet(), force=True)


def test_a_scale_that_is_missing_is_an_error_of_one_line(run: Path, tmp_path: Path) -> None:
    import keras

    folder = _copy(run, tmp_path)
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, name="bare")(image)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    keras.Model(image, keras.layers.Dense(2, name="logits")(x)).save(folder / KERAS_FILE)
    with pytest.raises(ConversionError, match="bare: no batch normalization"):
        prune(
            folder, _config(keep_cost=0.5, importance="bn"), tmp_path / "small", progress=_quiet()
        )


def test_the_training_after_the_cuts_has_the_runs_own_loss() -> None:
    spec = PreprocessSpec(size=(20, 16))
    trained = TrainedModel(
        name="squares",
        labels=LABELS,
        preprocess=spec,
        provenance={
            "setting.architecture": "resnet8",
            "setting.loss": "focal",
            "setting.focal_gamma": "1.5",
            "setting.augment": "none",
            "setting.weight_decay": "0.01",
            "setting.optimizer": "sgd",
        },
    )
    settings = training_settings(trained, spec, _config(keep_cost=0.5, learning_rate=0.002))
    assert (settings.loss, settings.focal_gamma, settings.weight_decay) == ("focal", 1.5, 0.01)
    assert (settings.augment, settings.size) == ("none", (20, 16))
    assert (settings.optimizer, settings.learning_rate) == ("adamw", 0.002)


@pytest.mark.parametrize(
    ("initializer", "rate", "frozen"), [("pretrained", 1e-4, True), ("he", 1e-3, False)]
)
def test_the_rate_follows_from_how_the_run_was_trained(
    initializer: str, rate: float, frozen: bool
) -> None:
    spec = PreprocessSpec(size=(32, 32), channels="rgb", mean=(0.0,) * 3, std=(1.0,) * 3)
    facts = {"setting.architecture": "efficientnet-lite0", "setting.initializer": initializer}
    trained = TrainedModel(name="a", labels=("b", "c"), preprocess=spec, provenance=facts)
    settings = training_settings(trained, spec, _config(keep_cost=0.5))
    assert (settings.learning_rate, settings.pretrained) == (rate, frozen)
