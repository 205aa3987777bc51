"""A detector, from pictures with boxes to a board's answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgeinfer
from edgeinfer.converters.common.progress import LineProgress, Silent
from edgeinfer.converters.convert.pipeline import ConvertResult
from edgeinfer.converters.run_folder.trained_run import read_samples, read_trained
from edgeinfer.converters.tasks.detection.evaluation import DetectionEvaluation
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.tasks.detection.task import TASK
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.train import train, train_more
from tests.host.tasks.detection.shapes import LABELS, SETTINGS, draw_scenes


def config(**changes: object) -> TrainConfig:
    settings = {"epochs": 16, **SETTINGS, **changes}
    return edgeinfer.train_config("small-cnn", task="detection", **settings)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_scenes(tmp_path_factory.mktemp("scenes") / "data", 150)


@pytest.fixture(scope="module")
def prepared(scenes: Path) -> PreparedData:
    return TASK.prepare(scenes, DataOptions(seed=0))


@pytest.fixture(scope="module")
def run(prepared: PreparedData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "shapes"
    train(prepared, config(), out, progress=Silent(), resumable=False, page=True)
    return out


@pytest.fixture(scope="module")
def converted(run: Path, tmp_path_factory: pytest.TempPathFactory) -> ConvertResult:
    bundle = tmp_path_factory.mktemp("bundles") / "shapes.edgebundle"
    return edgeinfer.convert(run, bundle, max_drop_points=10, progress=Silent())


def test_a_run_says_how_its_outputs_are_read(run: Path) -> None:
    trained = read_trained(run)
    assert trained.labels == LABELS
    assert trained.decoder.grids is not None
    assert trained.decoder.grids.strides == (8, 16, 32)
    assert 0 < trained.decoder.grids.min_score < 1
    assert trained.metrics["validation.keras.map50"] > 0.3
    assert {"validation.keras.map75.low", "validation.keras.f1"} <= set(trained.metrics)
    page = (run / "report.html").read_text()
    assert "mAP50" in page
    assert "<img" in page


def test_the_bundle_finds_things_where_they_are(run: Path, converted: ConvertResult) -> None:
    test = converted.evaluations["test"]
    small, real = test["int8"], test["float32"]
    assert isinstance(small, DetectionEvaluation)
    assert isinstance(real, DetectionEvaluation)
    assert small.score > 0.3
    assert abs(small.score - real.score) < 0.15
    # Measured with all that it may see; the bundle answers with what it is sure of.
    assert min(one.scores.min(initial=1.0) for one in small.pictures) < 0.1
    grids = converted.manifest.decoder.grids
    assert grids is not None
    assert small.min_score == grids.min_score
    samples = read_samples(run)["test"]
    with edgeinfer.Model.open(converted.bundle) as model:
        outputs = converted.manifest.variants["cpu"].outputs
        assert [output.name for output in outputs][:2] == ["boxes_8", "scores_8"]
        assert {output.dtype for output in outputs} == {"int8"}
        # Boxes and scores have their own scales.
        assert len({output.scale for output in outputs}) == len(outputs)
        for sample in samples:
            found = model.predict(sample.source)
            assert isinstance(found, Detections)
            assert found.size == (64, 64)
            assert (found.scores >= grids.min_score).all()


def test_a_larger_picture_gets_boxes_in_its_own_pixels(run: Path, converted: ConvertResult) -> None:
    sample = max(read_samples(run)["train"], key=lambda one: len(one.target.things))
    pixels = cv2.imread(sample.source)
    large = cv2.resize(pixels, None, fx=4, fy=2, interpolation=cv2.INTER_NEAREST)
    with edgeinfer.Model.open(converted.bundle) as model:
        small, found = model.predict(pixels), model.predict(large)
    assert isinstance(small, Detections)
    assert isinstance(found, Detections)
    assert found.size == (256, 128)
    assert len(found) == len(small)
    assert found.boxes == pytest.approx(small.boxes * (4, 2, 4, 2), abs=12)


def test_more_epochs_and_a_run_to_begin_with(
    run: Path, prepared: PreparedData, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    other = replace(prepared, labels=("disc", "box", "star"))
    begun = train(
        other, config(epochs=1), again, start=run, progress=Silent(), resumable=False, page=False
    )
    assert begun.labels == ("disc", "box", "star")
    more = train_more(again, 1, progress=Silent())
    assert more.provenance["epochs"] == "2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": (70, 64)}, "--size: 70x64, for a detector"),
        ({"loss": "focal"}, "--loss: focal for the task 'detection'"),
        ({"dropout": 0.2}, "--dropout: given for the task 'detection'"),
        ({"label_smoothing": 0.1}, "--label-smoothing: given for the task 'detection'"),
        ({"class_weights": "balanced"}, "--class-weights: balanced for the task 'detection'"),
    ],
)
def test_settings_that_a_detector_does_not_obey_are_refused(
    prepared: PreparedData, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        train(prepared, config(**changes), tmp_path / "run", progress=Silent(), page=False)
    assert not (tmp_path / "run").exists()


def test_a_pretrained_network_learns_in_one_stage_above_its_lower_layers(
    prepared: PreparedData, tmp_path: Path
) -> None:
    import keras

    from edgeinfer.host.models import build_model
    from edgeinfer.host.tasks.detection.network import lower_layers

    settings = edgeinfer.train_config(
        "efficientnet-lite0", task="detection", size=(64, 64), epochs=1
    )
    with pytest.raises(UsageError, match="--fine-tune-epochs: given for the task 'detection'"):
        train(prepared, replace(settings, fine_tune_epochs=2), tmp_path / "a", progress=Silent())
    few = replace(prepared, splits={name: found[:16] for name, found in prepared.splits.items()})
    train(few, settings, tmp_path / "b", progress=LineProgress(), resumable=False, page=False)
    trained = keras.saving.load_model(tmp_path / "b" / "model.keras")
    start = build_model(
        "efficientnet-lite0", input_shape=(64, 64, 3), classes=1, initializer="pretrained"
    )
    lower = {layer.name for layer in lower_layers(trained)}
    changed = set()
    for layer in start.layers:
        if layer.weights and layer.name not in ("logits", "head_conv", "head_bn"):
            pairs = zip(
                layer.get_weights(), trained.get_layer(layer.name).get_weights(), strict=True
            )
            if any(not np.array_equal(one, other) for one, other in pairs):
                changed.add(layer.name)
    assert changed
    assert not changed & lower
    assert not any(name.endswith("_bn") for name in changed)
    history = json.loads((tmp_path / "b" / "history.json").read_text())
    assert len(history["epochs"] if isinstance(history, dict) else history) == 1
