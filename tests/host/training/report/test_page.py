from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.bundle.page.write import CARD_FILE, PAGE_FILE
from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split, TrainedModel
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.training.report.page import write_run_page
from tests.host.training.report.test_curves import epochs
from tests.support.html import read_page

LABELS = ("<script>alert(1)</script>", "\u05e9\u05dc\u05d5\u05dd $x$")


class Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def samples(folder: Path, count: int) -> dict[Split, list[Sample]]:
    found = []
    for number in range(count):
        path = folder / f'"><img src=x onerror=alert(1)> {number}.png'.replace("/", "")
        path.write_bytes(encode_png(np.full((12, 16, 3), number, np.uint8)))
        found.append(Sample(source=str(path), target=number % 2))
    return {"train": found[2:], "validation": found[:2], "test": []}


def trained() -> TrainedModel:
    return TrainedModel(
        name="photos & more",
        labels=LABELS,
        preprocess=PreprocessSpec(size=(16, 12)),
        provenance={"data": "<data>", "seconds": "61", "setting.architecture": "small-cnn"},
        metrics={"validation.keras.top1": 0.5},
    )


def evaluation() -> Evaluation:
    task = find_measured("classification")
    outcomes = [
        task.outcome(truth, _answer(certainty)) for truth, certainty in ((0, 0.9), (1, 0.6))
    ]
    return task.evaluation(outcomes, trained().said)


def _answer(certainty: float) -> Prediction:
    from edgeinfer.device.tasks.classification.prediction import Classification

    return Classification(labels=LABELS, probabilities=np.array([certainty, 1 - certainty]))


def written(folder: Path, told: Told | None = None) -> str:
    out = folder / "run"
    out.mkdir(exist_ok=True)
    finding = Finding(kind="corrupt", path="a<b>.jpg", detail="is <incomplete>")
    write_run_page(
        *(out, trained(), samples(folder, 8), epochs(train=2), evaluation(), told or Told()),
        findings=[finding],
    )
    return (out / PAGE_FILE).read_text("utf-8") if (out / PAGE_FILE).exists() else ""


def test_a_run_has_a_page_with_everything_that_is_known(tmp_path: Path) -> None:
    made = written(tmp_path)
    read = read_page(made)
    assert read.elements["img"] >= 6  # of the data, the wrong answer and the least certain
    for known in (*LABELS, "photos & more: trained run", "<data>", "is <incomplete>", "small-cnn"):
        assert known in read.text, known
    assert "top-1: 50.00 %" in read.text
    assert (tmp_path / "run" / CARD_FILE).is_file()
    assert made == written(tmp_path)


def test_a_task_that_fails_on_the_page_loses_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> tuple[Part, ...]:
        raise ZeroDivisionError("in a task")

    monkeypatch.setattr(type(find_measured("classification")), "page_parts", fail)
    told = Told()
    assert written(tmp_path, told) == ""
    assert told.lines == ["warning: the page was not written: in a task"]
