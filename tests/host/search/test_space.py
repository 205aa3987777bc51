"""The candidates that there are for a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.boards import load_profile
from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_trained
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.models import ARCHITECTURES
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.space import (
    Space,
    full_epochs,
    prune_config,
    space_of,
    student_config,
)
from edgeinfer.host.tasks.detection.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.choices.fitting import require_fitting
from edgeinfer.host.training.config import run_config
from tests.host.search.examples import make_run, pruned, student


def _trained(side: int = 28, task: str = "classification", **settings: str) -> TrainedModel:
    return TrainedModel(
        name="x",
        task=task,
        labels=("a", "b"),
        preprocess=PreprocessSpec(size=(side, side)),
        provenance={f"setting.{name}": value for name, value in settings.items()},
    )


class _Answers:
    """A sampler that draws from hypothesis and writes down what it chose."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.chosen: dict[str, Any] = {}

    def _keep(self, name: str, value: Any) -> Any:
        assert name not in self.chosen
        self.chosen[name] = value
        return value

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self._keep(name, self._data.draw(st.sampled_from(list(choices))))

    def suggest_int(self, name: str, low: int, high: int) -> int:
        return int(self._keep(name, self._data.draw(st.integers(low, high))))

    def suggest_float(self, name: str, low: float, high: float, *, step: float) -> float:
        count = self._data.draw(st.integers(0, round((high - low) / step)))
        return float(self._keep(name, low + count * step))


@given(
    st.data(),
    st.sampled_from(
        [(side, "classification") for side in (8, 28, 32, 48, 96, 128, 224)]
        + [(64, "detection"), (320, "detection"), (96, "multilabel")]
    ),
)
def test_a_candidate_and_a_samplers_choices_are_the_same_thing(
    data: st.DataObject, run: tuple[int, str]
) -> None:
    space = space_of(_trained(*run), None)
    answers = _Answers(data)
    candidate = space.suggest(answers)
    told = space.parameters(candidate)
    assert set(told) == set(answers.chosen)
    for name, value in answers.chosen.items():
        assert told[name] == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize("side", [12, 28, 32, 96, 160, 224])
def test_the_first_candidates_are_of_the_space(side: int) -> None:
    space = space_of(_trained(side), None)
    first = space.first()
    assert len(first) == len(set(first)) >= 6
    assert {candidate.kind for candidate in first} == {"pruned", "student"}
    for candidate in first:
        assert space.parameters(candidate)
        assert min(16, side) <= min(candidate.size) <= side


@pytest.mark.parametrize(
    ("architecture", "initializer"), [("resnet8", "he"), ("efficientnet-lite0", "pretrained")]
)
def test_a_run_from_scratch_is_not_a_teacher_at_first(architecture: str, initializer: str) -> None:
    trained = _trained(architecture=architecture, initializer=initializer)
    first = space_of(trained, None).first()
    assert {candidate.teacher for candidate in first} == {initializer == "pretrained"}


def test_sizes_keep_the_aspect_ratio() -> None:
    space = Space(
        base=run_config(_trained()), size=(320, 240), students=("small-cnn",), precisions=("int8",)
    )
    sizes = {candidate.size for candidate in space.first()}
    assert all(abs(width / height - 4 / 3) < 0.02 for width, height in sizes)


def test_students_of_large_pictures_see_smaller_ones() -> None:
    first = space_of(_trained(224), None).first()
    assert {max(c.size) for c in first if c.kind == "student"} == {160}
    assert {max(c.size) for c in first if c.kind == "pruned"} == {224, 192}


@pytest.mark.parametrize("side", [64, 96, 320])
@pytest.mark.parametrize("initializer", ["he", "pretrained"])
def test_a_detectors_candidates_are_detectors(side: int, initializer: str) -> None:
    trained = _trained(
        side, "detection", architecture="efficientnet-lite0", initializer=initializer
    )
    space = space_of(trained, None)
    assert set(space.students) == {"small-cnn", "mobilenet"}
    first = space.first()
    assert len(first) >= 5
    for candidate in first:
        TASK.check_size(candidate.size)
        # The run's answers to pictures of another size are those of other cells.
        assert candidate.teacher == (initializer == "pretrained" and candidate.size == space.size)
    # Small things are lost with the pixels, so students see as many as the run.
    assert {max(c.size) for c in first if c.kind == "student"} == {side}
    student = next(c for c in first if c.kind == "student")
    config = student_config(space.base, student, epochs=2, seed=0, task="detection")
    require_fitting(config, Lesson(task=TASK, said=trained.said))


@pytest.mark.parametrize("board", ["coral-dev", "imx93", "imx8mp"])
def test_accelerators_get_integers_alone(board: str) -> None:
    assert space_of(_trained(), load_profile(board)).precisions == ("int8",)


def test_processors_get_float_activations_too() -> None:
    space = space_of(_trained(), load_profile("rpi4"))
    assert [candidate.precision for candidate in space.plain()] == ["int8", "dynamic"]


def test_settings_are_read_from_the_provenance(tmp_path: Path) -> None:
    settings = {"optimizer": "sgd", "learning_rate": "0.1", "size": "(28, 28)", "weights": "None"}
    config = run_config(read_trained(make_run(tmp_path / "run", **settings)))
    assert (config.architecture, config.optimizer, config.learning_rate) == ("resnet8", "sgd", 0.1)
    assert (config.channels, config.size, config.epochs) == ("grey", (28, 28), 6)


def test_a_run_that_tells_nothing_gets_defaults() -> None:
    assert run_config(_trained()).architecture in ARCHITECTURES
    assert run_config(_trained(architecture="of-a-later-version")).architecture in ARCHITECTURES


def test_students_learn_as_a_run_from_scratch_did() -> None:
    base = run_config(_trained(architecture="resnet8", optimizer="sgd", learning_rate="0.1"))
    assert base.region is None
    base = replace(base, region=(0.5, 0.0, 0.5, 1.0))
    config = student_config(base, student(0.25), epochs=9, seed=3)
    assert config.region == base.region
    assert (config.optimizer, config.learning_rate, config.epochs) == ("sgd", 0.1, 9)
    assert (config.architecture, config.width, config.seed) == ("small-cnn", 0.25, 3)


def test_students_of_a_pretrained_run_start_from_nothing() -> None:
    base = run_config(
        _trained(224, architecture="efficientnet-lite0", initializer="pretrained", epochs="20")
    )
    config = student_config(base, student(), epochs=9, seed=0)
    assert not config.pretrained
    assert config.dropout == 0
    assert full_epochs(base, student()) == 40


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (3, 1), (4, 3), (8, 3)])
def test_pruning_trains_no_longer_than_was_planned(epochs: int, steps: int) -> None:
    config = prune_config(run_config(_trained()), pruned(0.4), epochs=epochs, seed=0)
    assert config.steps == steps
    assert (config.steps - 1) * config.step_epochs + config.epochs == epochs
    assert config.keep_cost == 0.4


def test_nothing_is_cut_where_nothing_goes() -> None:
    whole = Candidate(kind="pruned", size=(20, 20), keep_cost=1.0)
    config = prune_config(run_config(_trained()), whole, epochs=8, seed=0)
    assert (config.steps, config.epochs, config.size) == (1, 8, (20, 20))
