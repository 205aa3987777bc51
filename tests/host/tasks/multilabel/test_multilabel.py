"""How a network learns several labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.multilabel.task import TASK

LABELS = ("bar", "dot", "rim")
SAID = Said(labels=LABELS)


def write(folder: Path, rows: list[str]) -> DataOptions:
    generator = np.random.default_rng(0)
    for row in rows:
        pixels = generator.integers(0, 255, (8, 8, 3), np.uint8)
        (folder / row.split(",")[0]).write_bytes(encode_png(pixels))
    (folder / "t.csv").write_text("file,labels\n" + "\n".join(rows) + "\n")
    return DataOptions(table=folder / "t.csv")


def test_data_are_split_label_by_label(tmp_path: Path) -> None:
    kinds = ["bar", "bar;dot", "dot", "rim", ""]
    options = write(tmp_path, [f"{n}.png,{kinds[n % 5]}" for n in range(100)])
    data = TASK.prepare(tmp_path, options)
    assert data.labels == LABELS
    for split, count in (("train", 80), ("validation", 10), ("test", 10)):
        samples = data.splits[split]  # type: ignore[index]
        assert abs(len(samples) - count) <= 2
        assert all(any(i in sample.target for sample in samples) for i in range(3))
    assert data.said.decoder.multi_label is not None
    (tmp_path / "other.csv").write_text("file,labels\n0.png,fog\n")
    with pytest.raises(DataError, match="has the label 'fog'"):
        TASK.find(tmp_path, data.said, table=tmp_path / "other.csv")


def test_a_table_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--labels-csv"):
        TASK.prepare(tmp_path, DataOptions())


@pytest.mark.parametrize(
    ("labels", "words"),
    [("bar", "'bar' is true of 16 of 16"), ("", "has no label")],
)
def test_a_label_that_cannot_be_learned_is_refused(tmp_path: Path, labels: str, words: str) -> None:
    options = write(tmp_path, [f"{n}.png,{labels}" for n in range(20)])
    with pytest.raises(DataError, match=words):
        TASK.prepare(tmp_path, options)


def test_rows_become_targets() -> None:
    samples = [Sample(source="", target=frozenset(t)) for t in ({0, 2}, set(), {1})]
    rows = TASK.rows(samples, PreprocessSpec(size=(8, 8)))
    assert TASK.targets(rows, SAID).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_losses_and_metric() -> None:
    pytest.importorskip("keras")
    targets = np.array([[1, 0, 1]], np.float32)
    right, wrong = np.array([[5, -5, 5]], np.float32), np.array([[5, 5, 5]], np.float32)
    for name in ("crossentropy", "focal"):
        loss = TASK.loss(LossSettings(name=name))
        assert float(loss(targets, right)) < 0.1 < float(loss(targets, wrong))
    metric = TASK.metric()
    metric.update_state(targets, wrong)
    assert float(metric.result()) == pytest.approx(2 / 3)
