"""Candidates' networks, built and trained with Keras on tiny pictures."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.host.data.dataset import prepare_folder
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.worker.build import OTHER_CALIBRATIONS, build, calibrate, train
from edgeinfer.host.search.worker.job import FLOAT_FILE, UNTRAINED_FILE, Job
from edgeinfer.host.training.config import default_config
from edgeinfer.host.training.progress import LineProgress
from edgeinfer.host.training.train import train as train_run
from tests.host.training.problem import squares

pytestmark = pytest.mark.slow

LABELS = ("left", "right")
SIZE = (24, 24)
PLAIN = Candidate(kind="plain", size=SIZE)
PRUNED = Candidate(kind="pruned", size=SIZE, keep_cost=0.4)
STUDENT = Candidate(kind="student", size=(16, 16), architecture="resnet8", width=0.5)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network on forty pictures of two classes."""
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    root = tmp_path_factory.mktemp("squares")
    data = squares(40, side=24, depth=3)
    for index, (pixels, label) in enumerate(zip(data.pixels, data.labels, strict=True)):
        folder = root / "pictures" / LABELS[label]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:02}.png").write_bytes(encode_png(pixels))
    config = default_config("small-cnn", size=SIZE, epochs=2, batch_size=8, width=0.5)
    prepared = prepare_folder(root / "pictures", seed=0)
    train_run(prepared, config, root / "run", progress=LineProgress(io.StringIO()))
    return root / "run"


def _job(run: Path, out: Path, candidate: Candidate, epochs: int | None = None) -> Job:
    out.mkdir(parents=True, exist_ok=True)
    return Job(
        action="build" if epochs is None else "train",
        run=str(run),
        candidate=candidate,
        out=str(out),
        cache=str(out / "cache"),
        epochs=epochs or 0,
    )


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
        replace(PRUNED, size=(20, 20), keep_cost=1.0),
        STUDENT,
        replace(PLAIN, precision="dynamic"),
    ],
    ids=Candidate.text,
)
def test_what_is_timed_is_what_will_be_trained(
    run: Path, tmp_path: Path, candidate: Candidate
) -> None:
    build(_job(run, tmp_path / "a", candidate))
    untrained = tmp_path / "a" / UNTRAINED_FILE
    assert os.listdir(tmp_path / "a") == [UNTRAINED_FILE]
    width, height = candidate.size
    assert _input(untrained) == (1, height, width, 3)
    done = train(_job(run, tmp_path / "b", candidate, 1), LineProgress(io.StringIO()))
    small = tmp_path / "b" / "min-max.tflite"
    assert _macs(small) == _macs(untrained)
    assert abs(small.stat().st_size - untrained.stat().st_size) < 1000
    trained = read_trained(Path(done.run))
    assert trained.preprocess.size == candidate.size
    assert trained.labels == LABELS
    assert (tmp_path / "b" / FLOAT_FILE).is_file()
    assert not done.calibrations
    if candidate.kind != "plain":
        # A run as `edgeinfer train` leaves it, on the same splits.
        assert read_samples(Path(done.run)) == read_samples(run)
        assert (Path(done.run) / KERAS_FILE).is_file()
        assert done.epochs == 1
        assert done.training_s > 0


def test_other_ranges_are_added_when_they_are_asked_for(run: Path, tmp_path: Path) -> None:
    job = _job(run, tmp_path, PLAIN, 0)
    done = train(job, LineProgress(io.StringIO()))
    told = io.StringIO()
    found = calibrate(replace(job, action="calibrate", run=done.run), LineProgress(told))
    assert found.calibrations == OTHER_CALIBRATIONS
    files = {tmp_path / f"{name}.tflite" for name in ("min-max", *OTHER_CALIBRATIONS)}
    assert {_macs(path) for path in files} == {_macs(tmp_path / FLOAT_FILE)}
    assert len({path.read_bytes() for path in files}) == len(files)
    assert "look for better ranges" in told.getvalue()


@pytest.mark.parametrize("candidate", [PRUNED, STUDENT], ids=Candidate.text)
def test_the_run_can_teach(run: Path, tmp_path: Path, candidate: Candidate) -> None:
    job = _job(run, tmp_path, replace(candidate, teacher=True), 1)
    done = train(job, LineProgress(io.StringIO()))
    assert read_trained(Path(done.run)).provenance["teacher.run"] == str(run)
    # The next candidate need not ask again.
    (answers,) = (tmp_path / "cache").iterdir()
    before = {path: path.stat().st_mtime_ns for path in answers.iterdir()}
    train(_job(run, tmp_path, replace(candidate, teacher=True), 1), LineProgress(io.StringIO()))
    assert {path: path.stat().st_mtime_ns for path in answers.iterdir()} == before


def test_a_network_that_takes_no_other_size_is_told(run: Path, tmp_path: Path) -> None:
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
