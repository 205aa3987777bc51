"""prune() of a network with several outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_trained
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.tasks.detection.network import STRIDES, output_names
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.pruning.config import PruneConfig
from edgeinfer.host.training.pruning.prune import prune, training_settings
from tests.host.tasks.detection.detector_run import LABELS, SIDE, detector_run
from tests.support.made_once import made_once


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tensorflow", reason="pruning needs the host extra")
    return made_once(tmp_path_factory, "detector_run", detector_run) / "run"


def _shapes(side: int) -> list[tuple[int | None, ...]]:
    grids = [side // stride for stride in STRIDES]
    return [(None, cells, cells, numbers) for cells in grids for numbers in (4, len(LABELS))]


def _config(**settings: Any) -> PruneConfig:
    short = {"keep_cost": 0.4, "steps": 1, "epochs": 1, "multiple": 4}
    return PruneConfig(**{**short, **settings})


@pytest.mark.slow
def test_channels_go_from_the_backbone_and_the_pyramid(run: Path, tmp_path: Path) -> None:
    import keras

    out = tmp_path / "small"
    pruned = prune(run, _config(), out, progress=Silent(), page=False)
    old, new = (keras.saving.load_model(folder / KERAS_FILE) for folder in (run, out))
    assert tuple(new.output_names) == tuple(old.output_names) == output_names()
    assert [tuple(output.shape) for output in new.output] == _shapes(SIDE)
    changed = {
        layer.name
        for layer in new.layers
        if getattr(layer, "filters", None) != getattr(old.get_layer(layer.name), "filters", None)
    }
    for part in ("block", "pyramid", "box", "score"):
        assert any(name.startswith(part) for name in changed), part
    assert all(layer.trainable for layer in new.layers)
    grids = pruned.decoder.grids
    assert grids is not None
    assert grids.scores == (1, 3, 5)
    assert pruned.metrics["validation.keras.score"] == pruned.metrics["validation.keras.map50"]
    assert 0 < pruned.metrics["prune.macs-share"] < 0.6
    assert read_trained(out) == pruned


@pytest.mark.slow
def test_another_size_keeps_the_grids(run: Path, tmp_path: Path) -> None:
    import keras

    out = tmp_path / "large"
    config = _config(keep_cost=1.0, size=(96, 96), epochs=0, importance="l1")
    prune(run, config, out, progress=Silent(), page=False)
    model = keras.saving.load_model(out / KERAS_FILE)
    assert [tuple(output.shape) for output in model.output] == _shapes(96)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": (72, 64)}, "--size: 72x64, for a detector"),
        ({"dropout": 0.1}, "--dropout: given for the task 'detection'"),
    ],
)
def test_what_a_detector_does_not_obey_is_refused(
    run: Path, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        prune(run, _config(**settings), tmp_path / "small", progress=Silent())
    assert words in str(caught.value)


def test_a_teacher_of_another_size_is_refused(run: Path, tmp_path: Path) -> None:
    teacher = TeacherConfig(run=run)
    config = replace(_config(), size=(96, 96))
    with pytest.raises(UsageError, match="the teacher sees pictures of 64x64 pixels"):
        prune(run, config, tmp_path / "small", teacher=teacher, progress=Silent())
    assert not (tmp_path / "small").exists()


def test_training_goes_on_as_the_run_was_trained(run: Path) -> None:
    trained = read_trained(run)
    settings = training_settings(trained, trained.preprocess, _config())
    assert (settings.loss, settings.batch_size, settings.dropout) == ("overlap", 8, 0.0)
    assert settings.clip_norm == 10.0
    settings = training_settings(trained, trained.preprocess, _config(batch_size=3))
    assert settings.batch_size == 3
