"""A finished run is trained for more epochs, in its place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.host.training.train import train_more
from tests.host.training.distillation.teacher_run import write_pictures, write_teacher

pytestmark = pytest.mark.slow


def test_more_epochs_replace_the_run_and_go_on_in_its_history(tmp_path: Path) -> None:
    samples = write_pictures(tmp_path / "pictures", 24)
    run = write_teacher(
        tmp_path / "run", {"train": samples[::2], "validation": samples[1::2], "test": []}
    )
    before = read_trained(run)
    for _ in range(2):
        trained = train_more(run, 1, progress=Silent())
    assert sorted(os.listdir(tmp_path)) == ["pictures", "run"]
    rows = json.loads((run / "history.json").read_text())
    assert [(row["stage"], row["epoch"]) for row in rows] == [("more", 1), ("more", 1)]
    assert trained == read_trained(run)
    assert trained.labels == before.labels
    assert trained.preprocess == before.preprocess
    assert 0 <= trained.metrics["validation.keras.top1"] <= 1


def test_there_must_be_a_run_and_epochs(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        train_more(tmp_path / "none", 1, progress=Silent())
    run = write_teacher(tmp_path / "run")
    with pytest.raises(UsageError, match="--more-epochs: 0, expected 1 or more"):
        train_more(run, 0, progress=Silent())
