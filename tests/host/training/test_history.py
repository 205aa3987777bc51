"""The two files of a run's history."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path

from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.history import CSV_FILE, JSON_FILE, Epoch, History

EPOCH = Epoch(
    stage="train",
    epoch=1,
    loss=0.5,
    accuracy=0.75,
    val_loss=0.6,
    val_accuracy=0.7,
    learning_rate=1e-3,
    seconds=2.0,
)


def read(folder: Path) -> tuple[list[dict[str, str]], list[dict[str, object]]]:
    with (folder / CSV_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((folder / JSON_FILE).read_text())


def test_a_run_without_epochs_has_a_history_too(tmp_path: Path) -> None:
    History(tmp_path)
    assert read(tmp_path) == ([], [])


def test_each_epoch_is_on_disk_immediately(tmp_path: Path) -> None:
    history = History(tmp_path)
    for count in (1, 2):
        history.add(EPOCH)
        rows, told = read(tmp_path)
        assert told == [asdict(EPOCH)] * count
        assert rows == [{name: str(value) for name, value in asdict(EPOCH).items()}] * count


def test_a_line_says_what_the_task_measures() -> None:
    assert EPOCH.line(find_taught("classification").shown_score) == (
        "train epoch 1: loss 0.5000, accuracy 75.00 %, validation loss 0.6000, "
        "accuracy 70.00 % (2.0 s)"
    )
    assert EPOCH.line(find_taught("value").shown_score) == (
        "train epoch 1: loss 0.5000, mean error 25.00 % of the range, validation loss 0.6000, "
        "mean error 30.00 % of the range (2.0 s)"
    )


def test_a_history_in_memory_writes_nothing(tmp_path: Path) -> None:
    history = History()
    history.add(EPOCH)
    assert history.epochs == [EPOCH]
    assert not list(tmp_path.iterdir())
