"""A model on a folder: its score with an interval, its worst pictures, and a comparison."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgeinfer
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.samples import read_sample
from edgeinfer.device.core.errors import DataError, ModelError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.data.dataset import prepare_fashion_mnist
from edgeinfer.host.evaluation.evaluate import evaluate_model
from tests.device.models.bundle.rewriting import Document, Members, rewritten
from tests.support.checkout import ROOT
from tests.support.program import edgeinfer_here, error_line

SAMPLE = ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"
EACH = 6


@pytest.fixture(scope="module")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some test pictures of each class, as a folder."""
    folder = tmp_path_factory.mktemp("clothes")
    data = prepare_fashion_mnist(seed=0, full=False)
    counts = dict.fromkeys(data.labels, 0)
    for sample in data.splits["test"]:
        label = data.labels[sample.target]
        if counts[label] < EACH:
            counts[label] += 1
            path = folder / label / f"{counts[label]}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encode_png(read_sample(sample.source)))
    return folder


def test_each_group_and_all_have_their_interval(clothes: Path) -> None:
    result = evaluate_model(SAMPLE, clothes, Silent())
    evaluation = result.evaluation
    assert evaluation.samples == len(result.samples) == 60
    low, high = evaluation.interval
    assert 0.5 < low < evaluation.score < high < 1
    assert [group.samples for group in result.groups] == [EACH] * 10
    assert result.absent == ()
    # A few pictures tell little of a class, and the interval says so.
    assert all(group.high - group.low > 0.3 for group in result.groups)
    wrong = round(60 * (1 - evaluation.score))
    assert len(result.worst(100)) == wrong
    with open_bundle(SAMPLE) as bundle:
        assert evaluation.group_names == bundle.manifest.labels


def test_a_folder_without_a_class_says_which_and_one_with_another_is_refused(
    clothes: Path, tmp_path: Path
) -> None:
    fewer = Path(shutil.copytree(clothes, tmp_path / "fewer"))
    shutil.rmtree(fewer / "Bag")
    result = evaluate_model(SAMPLE, fewer, Silent())
    assert result.absent == ("Bag",)
    assert result.evaluation.samples == 54
    (fewer / "Hat").mkdir()
    shutil.copy(fewer / "Coat" / "1.png", fewer / "Hat")
    with pytest.raises(DataError, match="has the class 'Hat', expected classes of the model"):
        evaluate_model(SAMPLE, fewer, Silent())


def test_a_model_compared_with_itself_differs_by_nothing(clothes: Path) -> None:
    result = edgeinfer.evaluate(str(SAMPLE), str(clothes), other=str(SAMPLE), progress=Silent())
    comparison = result.comparison
    assert comparison is not None
    assert (comparison.difference, comparison.better, comparison.worse) == (0, 0, 0)
    assert not comparison.more_than_chance


def test_another_order_of_the_classes_is_not_a_mistake(clothes: Path, tmp_path: Path) -> None:
    """Each model numbers the classes in its own way; the second gives each the name of the next."""
    other = tmp_path / "other.edgebundle"

    def turn(document: Document, members: Members) -> None:
        document["labels"] = [*document["labels"][1:], document["labels"][0]]

    other.write_bytes(rewritten(SAMPLE.read_bytes(), turn))
    result = evaluate_model(SAMPLE, clothes, Silent(), other=other)
    assert result.other is not None
    assert result.other.score < 0.3 < 0.7 < result.evaluation.score
    assert [group.samples for group in result.groups] == [EACH] * 10


def test_models_of_other_classes_are_not_compared(clothes: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.tflite"
    with open_bundle(SAMPLE) as bundle:
        plain.write_bytes(bundle.member("variants/cpu.tflite"))
    with pytest.raises(ModelError, match="predicts something else"):
        evaluate_model(SAMPLE, clothes, Silent(), other=plain)


def test_the_command(clothes: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    done = edgeinfer_here("evaluate", SAMPLE, clothes, "--compare", SAMPLE, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "top-1" in done.stdout
    assert "95 % interval" in done.stdout
    assert "may be chance" in done.stdout
    rows = list(csv.DictReader((report / "pictures.csv").read_text().splitlines()))
    assert len(rows) == 60
    sheet = cv2.imread(str(report / "worst.png"))
    assert sheet is not None
    assert min(sheet.shape[:2]) >= 320
    wrong = next(row for row in rows if row["score"] == "0")
    assert f"  {wrong['picture']}: " in done.stdout
    assert f", truth: {wrong['group']}\n" in done.stdout
    told = json.loads(edgeinfer_here("evaluate", SAMPLE, clothes, "--json").stdout)
    assert told["low"] < told["score"] < told["high"]
    assert len(told["groups"]) == 10
    assert all(one["answer"]["label"] != one["truth"] for one in told["worst"])
    # The one that was surest of a wrong class comes first.
    truths = [
        next((t["probability"] for t in one["answer"]["top"] if t["label"] == one["truth"]), 0.0)
        for one in told["worst"]
    ]
    assert truths == sorted(truths)


def test_a_region_of_the_pictures_is_measured(clothes: Path, tmp_path: Path) -> None:
    for path in clothes.rglob("*.png"):
        small = cv2.imread(str(path))
        assert small is not None
        wide = tmp_path / "wide" / path.relative_to(clothes)
        wide.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(wide), np.hstack([small, 255 - small]))
    expected = evaluate_model(SAMPLE, clothes, Silent()).evaluation.score
    left = edgeinfer.evaluate(SAMPLE, tmp_path / "wide", region=(0, 0, 0.5, 1), progress=Silent())
    assert left.evaluation.score == expected
    done = edgeinfer_here(
        "evaluate", SAMPLE, tmp_path / "wide", "--region", "0.5,0,0.5,1", "--json"
    )
    assert json.loads(done.stdout)["score"] < expected


def test_a_path_that_is_not_a_folder_is_one_line(tmp_path: Path) -> None:
    assert "error: " in error_line(edgeinfer_here("evaluate", SAMPLE, tmp_path / "none"))
