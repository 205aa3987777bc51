"""Candidates' networks, built and trained with Keras on tiny pictures."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.worker.build import (
    OTHER_CALIBRATIONS,
    build,
    calibrate,
    candidate_spec,
    train,
)
from edgeinfer.host.search.worker.job import FLOAT_FILE, UNTRAINED_FILE, Done, Job
from tests.host.search.conftest import LABELS, RUN_SIZE

pytestmark = pytest.mark.slow

PLAIN = Candidate(kind="plain", size=RUN_SIZE)
PRUNED = Candidate(kind="pruned", size=RUN_SIZE, keep_cost=0.4)
SMALLER = replace(PRUNED, size=(20, 20), keep_cost=1.0, teacher=True)
STUDENT = Candidate(
    kind="student", size=(16, 16), architecture="small-cnn", width=0.25, teacher=True
)

CACHE = "cache"
"""What the candidates of one search share."""


def _job(run: Path, out: Path, candidate: Candidate) -> Job:
    out.mkdir(parents=True, exist_ok=True)
    return Job(
        action="build",
        run=str(run),
        candidate=candidate,
        out=str(out),
        cache=str(out.with_name(CACHE)),
    )


@dataclass(frozen=True)
class Trained:
    """A candidate that was trained: its files, and what was said of it."""

    out: Path
    done: Done


TrainOnce = Callable[[Candidate], Trained]


@pytest.fixture(scope="module")
def trained(run: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainOnce:
    """Return what trains a candidate the first time; its files are not to be changed."""
    home = tmp_path_factory.mktemp("candidates")
    made: dict[Candidate, Trained] = {}

    def train_once(candidate: Candidate) -> Trained:
        if candidate not in made:
            out = home / str(len(made))
            job = _job(run, out, candidate)
            job = replace(job, action="train", epochs=0 if candidate.kind == "plain" else 1)
            made[candidate] = Trained(out, train(job, LineProgress(io.StringIO())))
        return made[candidate]

    return train_once


def _macs(path: Path) -> int:
    return model_macs(read_tflite(path.read_bytes(), subject=str(path)))


def _input(path: Path) -> tuple[int, ...]:
    (tensor,) = read_tflite(path.read_bytes(), subject=str(path)).subgraphs[0].inputs[:1]
    graph = read_tflite(path.read_bytes(), subject=str(path)).subgraphs[0]
    return tuple(graph.tensors[tensor].shape)


@pytest.mark.parametrize(
    "candidate",
    [
        PLAIN,
        PRUNED,
        SMALLER,
        STUDENT,
        replace(PLAIN, precision="dynamic"),
    ],
    ids=Candidate.text,
)
def test_what_is_timed_is_what_will_be_trained(
    run: Path, tmp_path: Path, trained: TrainOnce, candidate: Candidate
) -> None:
    build(_job(run, tmp_path / "out", candidate))
    untrained = tmp_path / "out" / UNTRAINED_FILE
    assert os.listdir(tmp_path / "out") == [UNTRAINED_FILE]
    width, height = candidate.size
    assert _input(untrained) == (1, height, width, 3)
    out, done = trained(candidate).out, trained(candidate).done
    small = out / "min-max.tflite"
    assert _macs(small) == _macs(untrained)
    assert abs(small.stat().st_size - untrained.stat().st_size) < 1000
    told = read_trained(Path(done.run))
    assert told.preprocess.size == candidate.size
    assert told.labels == LABELS
    assert (out / FLOAT_FILE).is_file()
    assert not done.calibrations
    if candidate.kind != "plain":
        # A run as `edgeinfer train` leaves it, on the same splits.
        assert read_samples(Path(done.run)) == read_samples(run)
        assert (Path(done.run) / KERAS_FILE).is_file()
        assert done.epochs == 1
        assert done.training_s > 0


def test_other_ranges_are_added_when_they_are_asked_for(
    run: Path, tmp_path: Path, trained: TrainOnce
) -> None:
    out = Path(shutil.copytree(trained(PLAIN).out, tmp_path / "out"))
    job = replace(_job(run, out, PLAIN), action="calibrate", run=trained(PLAIN).done.run)
    told = io.StringIO()
    found = calibrate(job, LineProgress(told))
    assert found.calibrations == OTHER_CALIBRATIONS
    files = {out / f"{name}.tflite" for name in ("min-max", *OTHER_CALIBRATIONS)}
    assert {_macs(path) for path in files} == {_macs(out / FLOAT_FILE)}
    assert len({path.read_bytes() for path in files}) == len(files)
    assert "look for better ranges" in told.getvalue()


def test_the_run_can_be_the_teacher(run: Path, trained: TrainOnce) -> None:
    answers = []
    for candidate in (SMALLER, STUDENT):
        out, done = trained(candidate).out, trained(candidate).done
        assert read_trained(Path(done.run)).provenance["teacher.run"] == str(run)
        cache = out.with_name(CACHE)
        answers.append({path: path.stat().st_mtime_ns for path in cache.rglob("*")})
    # The next candidate need not ask again.
    assert answers[0]
    assert answers[1] == answers[0]


def test_a_network_that_takes_no_other_size_is_reported(run: Path, tmp_path: Path) -> None:
    import keras

    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("trained.json", "samples.csv"):
        (flat / name).write_bytes((run / name).read_bytes())
    image = keras.Input((24, 24, 3))
    logits = keras.layers.Dense(2)(keras.layers.Flatten()(image))
    keras.Model(image, logits).save(flat / KERAS_FILE)
    smaller = replace(PRUNED, size=(20, 20), keep_cost=1.0)
    with pytest.raises(ConversionError):
        build(_job(flat, tmp_path / "out", smaller))


def test_a_damaged_run_is_one_sentence(run: Path, tmp_path: Path) -> None:
    for name in ("trained.json", "samples.csv"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    (tmp_path / KERAS_FILE).write_bytes(b"no ZIP")
    with pytest.raises(ModelError, match="cannot be loaded"):
        build(_job(tmp_path, tmp_path / "out", PRUNED))


def test_a_candidates_pictures_have_its_size(run: Path) -> None:
    spec = read_trained(run).preprocess
    assert candidate_spec(spec, SMALLER).size == (20, 20)
    assert spec.size == RUN_SIZE
