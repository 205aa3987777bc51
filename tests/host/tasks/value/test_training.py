"""Measured values, from pictures with a table to a board's answer."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import edgeinfer
from edgeinfer.converters.common.progress import LineProgress, Silent
from edgeinfer.converters.run_folder.trained_run import read_samples, read_trained
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.device.core.errors import DataError, EdgeinferError, UsageError
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.task import real_values, scalings
from edgeinfer.host.cli.evaluate import evaluate
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.tasks.value.task import TASK, TaughtValue
from edgeinfer.host.training.pruning.config import PruneConfig
from edgeinfer.host.training.pruning.prune import prune
from edgeinfer.host.training.train import train

TWO = Said(
    labels=("angle", "flow"),
    value=ValueSpec(
        unit="",
        units=("deg", "l"),
        scales=(1.0, 5.0),
        offsets=(-180.0, 5.0),
        periods=(360.0, 0.0),
        ranges=(360.0, 10.0),
    ),
)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bars whose height is in a table with decimal commas."""
    root = tmp_path_factory.mktemp("bars")
    generator = np.random.default_rng(0)
    rows = []
    for index in range(100):
        level = generator.uniform(0, 1)
        pixels = generator.integers(170, 230, (16, 16, 3), dtype=np.uint8)
        filled = round(14 * 8 * level)
        cv2.rectangle(pixels, (5 * 8, 15 * 8 - filled), (10 * 8, 15 * 8), (20, 20, 20), -1, shift=3)
        assert cv2.imwrite(str(root / f"{index:03}.png"), pixels)
        rows.append((f"{index:03}.png", f"{10 * level:.3f}".replace(".", ",")))
    with (root / "t.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=";").writerows([("file", "level (cm)"), *rows])
    return root


def test_targets_and_values_are_each_others_opposite() -> None:
    rows = np.array([[-180.0, 0.0], [0.0, 5.0], [179.0, 10.0], [90.0, 12.0]])
    targets = TASK.targets(rows, TWO)
    assert targets.shape == (4, TASK.numbers(TWO))
    np.testing.assert_allclose(
        real_values(targets.astype(np.float64), scalings(TWO)), rows, atol=1e-4
    )
    samples = [edgeinfer_sample(row) for row in rows.tolist()]
    np.testing.assert_array_equal(TASK.rows(samples, None), rows)  # type: ignore[arg-type]


def edgeinfer_sample(row: list[float]) -> object:
    from edgeinfer.converters.run_folder.samples import Sample

    return Sample(source="x", target=ValueTarget(tuple(row)))


def test_nothing_that_changes_a_value_is_done_to_pictures() -> None:
    allowed = TASK.allowed(AugmentConfig.photos())
    assert (allowed.flip, allowed.rotate_deg, allowed.zoom) == (False, 0.0, 0.0)
    assert 0 < allowed.shift <= 0.03
    assert allowed.brightness == AugmentConfig.photos().brightness


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (LossSettings(name="crossentropy", label_smoothing=0.0), "--loss: crossentropy for the"),
        (LossSettings(name="focal", label_smoothing=0.0), "--loss: focal for the task 'value'"),
        (LossSettings(name="huber", label_smoothing=0.1), "--label-smoothing: given for"),
        (LossSettings(name="circular"), "--loss: circular, for a value without a period"),
    ],
)
def test_losses_of_other_tasks_are_refused_by_name(settings: LossSettings, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TASK.check_loss(settings, TWO)


def test_losses_of_values_are_not_for_classes() -> None:
    with pytest.raises(UsageError, match="--loss: huber for the task 'classification'"):
        find_taught("classification").check_loss(LossSettings(name="huber"), Said())
    with pytest.raises(UsageError, match="--target: given for the task 'classification'"):
        find_taught("classification").require_options(DataOptions(targets=("x",)))


@pytest.mark.slow
@pytest.mark.parametrize("name", TaughtValue.losses)
def test_a_loss_is_least_at_the_truth(name: str) -> None:
    loss = TASK.loss(LossSettings(name=name, label_smoothing=0.0))
    true = np.array([[0.0, 1.0], [0.6, 0.8], [1.0, 0.0]], np.float32)
    exact = float(loss(true, true))
    assert exact == pytest.approx(0.0, abs=1e-5)
    off = [float(loss(true, true + np.float32(step))) for step in (0.05, 0.3, 0.9)]
    assert exact < off[0] < off[1] < off[2]
    metric = TASK.metric()
    metric.update_state(true, true + np.float32(0.2))
    assert float(metric.result()) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DataOptions(periods=(1.0, 2.0, 3.0)), "--period: has 3 periods"),
        (DataOptions(units=("kg",)), "'level' is in cm"),
        (DataOptions(targets=("colour",)), "has no column 'colour'"),
        (DataOptions(name_pattern="*_{v}"), "--labels-csv and --name-pattern"),
    ],
)
def test_options_that_do_not_fit_are_errors(bars: Path, options: DataOptions, message: str) -> None:
    from dataclasses import replace

    with pytest.raises(EdgeinferError, match=message):
        TASK.prepare(bars, replace(options, table=bars / "t.csv"))


def test_equal_values_are_an_error(bars: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    names = [f"{index:03}.png" for index in range(100)]
    table.write_text("file,level\n" + "".join(f"{name},4.5\n" for name in names))
    with pytest.raises(DataError, match=r"all 100 pictures have the same level, 4\.5"):
        TASK.prepare(bars, DataOptions(table=table))


def test_splits_have_all_of_the_range(bars: Path) -> None:
    data = TASK.prepare(bars, DataOptions(table=bars / "t.csv"))
    assert {split: len(found) for split, found in data.splits.items()} == {
        "train": 80, "validation": 10, "test": 10,
    }  # fmt: skip
    for found in data.splits.values():
        values = [sample.target.values[0] for sample in found]
        assert min(values) < 2 < 8 < max(values)
    assert data.value is not None
    assert data.value.unit == "cm"
    assert data.value.scales is not None
    assert data.value.ranges == pytest.approx([2 * scale for scale in data.value.scales])


@pytest.mark.slow
def test_from_pictures_to_a_boards_answer(bars: Path, tmp_path: Path) -> None:
    quiet = LineProgress(io.StringIO())
    config = edgeinfer.train_config(
        "small-cnn", task="value", size=(16, 16), width=0.25, epochs=10, batch_size=16,
        channels="grey", augment="none", learning_rate=0.01,
    )  # fmt: skip
    assert (config.loss, config.label_smoothing) == ("huber", 0.0)
    run = tmp_path / "bars"
    trained = edgeinfer.train(
        bars, run, config, task="value", labels=bars / "t.csv", progress=quiet
    )
    assert read_trained(run) == trained
    assert len(read_samples(run)["validation"]) == 10
    # A model that always gives the middle is wrong by a quarter of the range.
    assert trained.metrics["validation.keras.percent"] < 20
    assert trained.value is not None
    bundle = edgeinfer.convert(
        run, tmp_path / "bars.edgebundle", max_drop_points=10, progress=quiet
    )
    metrics = bundle.manifest.metrics
    assert metrics["test.int8.percent"] < 22
    assert 0 <= metrics["test.int8.covered"] <= 1
    assert (bundle.manifest.schema_version, bundle.manifest.value.unit) == (4, "cm")  # type: ignore[union-attr]
    path = tmp_path / "bars.edgebundle"
    with edgeinfer.Model.open(path) as model:
        answer = model.predict(bars / "007.png")
    assert isinstance(answer, edgeinfer.Value)
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low < answer.value < answer.high
    result = CliRunner().invoke(
        evaluate, [str(path), str(bars), "--labels-csv", str(bars / "t.csv"), "--json"]
    )
    document = json.loads(result.stdout)
    assert document["figures"]["mae"] == pytest.approx(
        document["figures"]["percent"] / 100 * trained.value.ranges[0]  # type: ignore[index]
    )
    assert document["worst"][0]["truth"].endswith(" cm")


@pytest.mark.slow
def test_a_pruned_run_measures_again(bars: Path, tmp_path: Path) -> None:
    data = TASK.prepare(bars, DataOptions(table=bars / "t.csv"))
    config = edgeinfer.train_config(
        "spatial-cnn", task="value", size=(16, 16), width=0.25, epochs=1, batch_size=16
    )
    run, out = tmp_path / "run", tmp_path / "pruned"
    train(data, config, run, progress=Silent(), page=False)
    aim = PruneConfig(keep_cost=0.7, steps=1, step_epochs=0, epochs=1, multiple=4, batch_size=16)
    pruned = prune(run, aim, out, progress=Silent())
    figures = {name for name in pruned.metrics if name.startswith("validation.keras.")}
    assert {name for name in read_trained(run).metrics if name.startswith("validation")} == figures
    assert pruned.value is not None
    assert pruned.value != read_trained(run).value  # its interval is of its answers
    lines = pruned.measured.summary(pruned.metrics, "validation.keras", pruned.said, 10)
    assert "mean error 0 cm" not in lines[0]
