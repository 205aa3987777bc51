"""A network of points, from pictures with boxes to a board's answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgeinfer
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.pipeline import ConvertResult
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import read_samples, read_trained
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.converters.tasks.points.evaluation import PointsEvaluation
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.tasks.points.prediction import Points
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.tasks.points.task import LARGEST_SIDE, LEAST_SIDE, TASK, points_decoder
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.train import train, train_more
from tests.host.tasks.detection.boxed_pictures import CAT, voc
from tests.host.tasks.detection.shapes import LABELS, SETTINGS, SIDE, draw_scenes


def config(**changes: object) -> TrainConfig:
    settings = {"epochs": 24, **SETTINGS, **changes}
    return edgeinfer.train_config("small-cnn", task="points", **settings)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    scenes = draw_scenes(tmp_path_factory.mktemp("scenes") / "data", 150)
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


def test_a_run_says_how_its_outputs_are_read(run: Path, prepared: PreparedData) -> None:
    trained = read_trained(run)
    assert trained.labels == LABELS
    spec = trained.decoder.points
    assert spec is not None
    assert prepared.decoder.points is not None
    assert spec.side == prepared.decoder.points.side
    # Things are 14 to 29 pixels wide.
    assert 14 / SIDE < spec.side < 29 / SIDE
    assert trained.metrics["validation.keras.f1"] > 0.7
    assert {"validation.keras.f1.low", "validation.keras.count_error"} <= set(trained.metrics)
    page = (run / "report.html").read_text()
    assert "What a least score does" in page
    assert "<img" in page


def test_the_bundle_finds_things_where_they_are(run: Path, converted: ConvertResult) -> None:
    test = converted.evaluations["test"]
    small, real = test["int8"], test["float32"]
    assert isinstance(small, PointsEvaluation)
    assert isinstance(real, PointsEvaluation)
    assert small.score > 0.6
    assert small.score > real.score - 0.15
    metrics = converted.manifest.metrics
    assert metrics["test.int8.f1"] == pytest.approx(small.score)
    assert metrics["test.int8.f1.low"] == pytest.approx(small.interval[0])
    spec = converted.manifest.decoder.points
    assert spec is not None
    assert converted.manifest.schema_version == 4
    # Measured with all that it may see; the bundle answers with what it is sure of.
    assert small.min_score == spec.min_score
    outputs = converted.manifest.variants["cpu"].outputs
    assert [output.name for output in outputs] == ["scores_16", "places_16"]
    assert {output.dtype for output in outputs} == {"int8"}
    right = 0
    with edgeinfer.Model.open(converted.bundle) as model:
        for sample in read_samples(run)["test"]:
            found = model.predict(sample.source)
            assert isinstance(found, Points)
            assert found.size == (SIDE, SIDE)
            assert (found.scores >= spec.min_score).all()
            right += len(found) == len(sample.target.things)
    assert right == (small.counts[:, 1] == small.counts[:, 2]).sum()


def test_a_larger_picture_gets_points_in_its_own_pixels(
    run: Path, converted: ConvertResult
) -> None:
    sample = max(read_samples(run)["train"], key=lambda one: len(one.target.things))
    pixels = cv2.imread(sample.source)
    large = cv2.resize(pixels, None, fx=4, fy=2, interpolation=cv2.INTER_NEAREST)
    with edgeinfer.Model.open(converted.bundle) as model:
        small, found = model.predict(pixels), model.predict(large)
    assert isinstance(small, Points)
    assert isinstance(found, Points)
    assert found.size == (256, 128)
    assert len(found) == len(small) > 0
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
        ({"size": (70, 64)}, "--size: 70x64, for points"),
        ({"loss": "overlap"}, "--loss: overlap for the task 'points'"),
        ({"dropout": 0.2}, "--dropout: given for the task 'points'"),
        ({"label_smoothing": 0.1}, "--label-smoothing: given for the task 'points'"),
        ({"class_weights": "balanced"}, "--class-weights: balanced for the task 'points'"),
        ({"folds": "auto"}, "--folds: given for the task 'points'"),
        ({"fine_tune_epochs": 2}, "--fine-tune-epochs: given for the task 'points'"),
    ],
)
def test_settings_that_points_do_not_obey_are_refused(
    prepared: PreparedData, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        train(prepared, config(**changes), tmp_path / "run", progress=Silent(), page=False)
    assert not (tmp_path / "run").exists()


def test_a_teacher_answers_each_batch(run: Path, prepared: PreparedData, tmp_path: Path) -> None:
    teacher = edgeinfer.TeacherConfig(run=run)
    found = train(
        *(prepared, config(epochs=2), tmp_path / "run"),
        teacher=teacher,
        progress=Silent(),
        resumable=False,
        page=False,
    )
    assert found.provenance["teacher.run"] == str(run)


def test_a_pretrained_network_learns_in_one_stage_above_its_lower_layers(
    prepared: PreparedData, tmp_path: Path
) -> None:
    import keras

    from edgeinfer.host.models import build_model
    from edgeinfer.host.tasks.points.network import lower_layers

    settings = edgeinfer.train_config("efficientnet-lite0", task="points", size=(64, 64), epochs=1)
    few = replace(prepared, splits={name: found[:16] for name, found in prepared.splits.items()})
    train(few, settings, tmp_path / "b", progress=Silent(), resumable=False, page=False)
    trained = keras.saving.load_model(tmp_path / "b" / "model.keras")
    start = build_model(
        "efficientnet-lite0", input_shape=(64, 64, 3), classes=1, initializer="pretrained"
    )
    lower = {layer.name for layer in lower_layers(trained)}
    there = {layer.name for layer in trained.layers}
    changed = set()
    for layer in start.layers:
        if layer.weights and layer.name in there:
            pairs = zip(
                layer.get_weights(), trained.get_layer(layer.name).get_weights(), strict=True
            )
            if any(not np.array_equal(one, other) for one, other in pairs):
                changed.add(layer.name)
    assert changed
    assert not changed & lower
    assert not any(name.endswith("_bn") for name in changed)


def test_squares_are_as_large_as_things_usually_are() -> None:
    def side(*widths: float) -> float:
        things = tuple(TrueBox(0, 0.0, 0.0, width, width) for width in widths)
        spec = points_decoder([Sample(source="a", target=BoxesTarget(things))]).points
        assert spec is not None
        return spec.side

    assert side(0.1, 0.2, 0.9) == pytest.approx(0.2)
    assert side(0.001) == LEAST_SIDE
    assert side(0.9) == LARGEST_SIDE


def test_data_that_cannot_be_used_is_refused_by_the_name_of_the_task(tmp_path: Path) -> None:
    for number in range(3):
        voc(tmp_path, str(number), [CAT], number)
    with pytest.raises(DataError, match="data check --task points"):
        TASK.prepare(tmp_path, DataOptions())
