"""A detector learns from another one that answers the same moved pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import edgeinfer
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_trained
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.tasks.detection.loss import teacher_loss
from edgeinfer.host.tasks.detection.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.points.task import TASK as POINTS
from edgeinfer.host.training.data.batches import normalize
from edgeinfer.host.training.distillation.asked_teacher import AskedTeacher, _Mixed, _own_metric
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.train import train
from tests.host.tasks.detection.detector_run import (
    SIDE,
    boxed_data,
    detector_config,
    detector_run,
)

CELLS = 8 * 8 + 4 * 4 + 2 * 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return detector_run(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def sure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that sees cats everywhere, which no box says."""
    run = detector_run(tmp_path_factory.mktemp("sure"))
    model = keras.saving.load_model(run / KERAS_FILE)
    for name in TASK.last_layers():
        _, bias = model.get_layer(name).weights
        bias.assign([1.0, -5.0])
    model.save(run / KERAS_FILE)
    return run


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    return boxed_data(tmp_path / "data")


def pixels(count: int = 2) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (count, SIDE, SIDE, 3), np.uint8)


def present(run: Path, labels: tuple[str, ...] = ("cat", "dog"), **settings: Any) -> AskedTeacher:
    lesson = Lesson(task=TASK, said=Said(labels=labels))
    config = TeacherConfig(run=run, **settings)
    return AskedTeacher(config, lesson, spec_of(run))


def spec_of(run: Path) -> PreprocessSpec:
    return read_trained(run).preprocess


def test_answers_are_those_of_the_network_in_the_order_of_the_student(run: Path) -> None:
    same, swapped = present(run).answers(pixels()), present(run, ("dog", "cat")).answers(pixels())
    assert same.shape == (2, CELLS, 6 + 2)
    np.testing.assert_array_equal(same[..., :6], swapped[..., :6])
    np.testing.assert_array_equal(same[..., 6], swapped[..., 7])
    assert not np.array_equal(same[..., 6], same[..., 7])
    model = keras.saving.load_model(run / KERAS_FILE)
    outputs = model.predict_on_batch(normalize(pixels(), normalize_table(spec_of(run))))
    logits = dict(zip(model.output_names, outputs, strict=True))["scores_8"].reshape(2, -1, 2)
    assert same[:, : 8 * 8, 6:] == pytest.approx(logits, abs=1e-4)


def test_a_student_comes_closer_to_its_teacher(
    sure: Path, data: PreparedData, tmp_path: Path
) -> None:
    config = detector_config(width=0.5, epochs=4, learning_rate=5e-3)
    teacher = TeacherConfig(run=sure, weight=1.0)
    train(data, config, tmp_path / "run", teacher=teacher, progress=Silent(), page=False)
    # All of the loss is the teacher's: what falls is the way to its answers.
    losses = [epoch["loss"] for epoch in json.loads((tmp_path / "run/history.json").read_text())]
    assert losses[-1] < 0.85 * losses[0]
    facts = read_trained(tmp_path / "run").provenance
    assert facts["teacher.weight"] == "1.0"
    assert "teacher.temperature" not in facts


def test_validation_looks_at_the_student_alone(run: Path, data: PreparedData) -> None:
    targets = np.array([[[4, 4, 30, 30, 0]], [[10, 20, 50, 60, 1]]], np.float32)
    own = present(run).answers(pixels())
    silent = np.concatenate([own, np.zeros_like(own)], axis=1)
    answered = np.concatenate([own, own[:, ::-1]], axis=1)
    plain = TASK.loss(detector_config().loss_settings)
    mixed = _Mixed(TASK, plain, 0.5)
    assert float(mixed(targets, silent)) == pytest.approx(float(plain(targets, own)), rel=1e-5)
    expected = (float(plain(targets, own)) + float(teacher_loss(own[:, ::-1], own))) / 2
    assert float(mixed(targets, answered)) == pytest.approx(expected, rel=1e-5)
    alone, both = TASK.metric(), _own_metric(TASK.metric())
    alone.update_state(targets, own)
    both.update_state(targets, answered)
    assert float(both.result()) == float(alone.result())
    assert both.name == "accuracy"


def test_agreement_is_the_least_loss(run: Path) -> None:
    answers = present(run).answers(pixels())
    other = answers.copy()
    other[..., 6:] += 1.5
    moved = answers.copy()
    moved[..., 2:6] += 6
    assert float(teacher_loss(answers, answers)) < float(teacher_loss(answers, other))
    # Boxes count where the teacher is sure that there is something.
    doubts = float(teacher_loss(answers, moved)) - float(teacher_loss(answers, answers))
    for one in (answers, moved):
        one[..., 6:] = 3.0
    knows = float(teacher_loss(answers, moved)) - float(teacher_loss(answers, answers))
    assert knows > max(0.1, 10 * doubts)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"features": True}, "--teacher-features: given for the task 'detection'"),
        ({"temperature": 2.0}, "--temperature: given for the task 'detection'"),
    ],
)
def test_what_only_classes_have_is_refused(run: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        present(run, **settings)


def test_a_teacher_of_other_pictures_or_other_things_is_refused(
    run: Path, data: PreparedData, tmp_path: Path
) -> None:
    teacher = TeacherConfig(run=run)
    for changes, words in (
        ({"size": (96, 96)}, "the teacher sees pictures of 64x64 pixels, expected 96x96"),
        ({"crop": "letterbox"}, "prepared in another way"),
    ):
        config = detector_config(**changes)
        with pytest.raises(UsageError, match=words):
            train(data, config, tmp_path / "run", teacher=teacher, progress=Silent(), page=False)
    other = replace(data, labels=("cat", "bird"))
    with pytest.raises(UsageError, match="the teacher knows cat, dog, expected the classes"):
        train(
            *(other, detector_config(), tmp_path / "run"),
            teacher=teacher,
            progress=Silent(),
            page=False,
        )
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_another_task_is_refused(run: Path) -> None:
    lesson = Lesson(task=POINTS, said=Said(labels=("cat", "dog")))
    with pytest.raises(UsageError, match="the teacher's task is 'detection', expected 'points'"):
        AskedTeacher(TeacherConfig(run=run), lesson, spec_of(run))


def test_a_pruned_detector_learns_from_what_it_was(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "pruned"
    config = edgeinfer.PruneConfig(keep_cost=0.8, steps=1, epochs=1)
    edgeinfer.prune(run, out, config, teacher=TeacherConfig(run=run), progress=Silent())
    assert read_trained(out).provenance["teacher.run"] == str(run)
