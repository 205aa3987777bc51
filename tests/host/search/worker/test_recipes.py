"""Candidates for a detector: its own grids, at other sizes and with other channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.worker.job import Job
from edgeinfer.host.search.worker.recipes import train_candidate, untrained_network
from edgeinfer.host.tasks.detection.network import STRIDES, output_names
from tests.host.tasks.detection.detector_run import LABELS, SIDE, detector_run
from tests.support.made_once import made_once

PRUNED = Candidate(kind="pruned", size=(SIDE, SIDE), keep_cost=0.5)
STUDENT = Candidate(kind="student", size=(96, 64), architecture="small-cnn", width=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("candidate", "epochs"), [(PRUNED, 0), (STUDENT, 1)], ids=["pruned", "student"]
)
def test_a_detectors_candidate_is_a_detector(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, candidate: Candidate, epochs: int
) -> None:
    keras = pytest.importorskip("keras", reason="training needs the host extra")
    run = made_once(tmp_path_factory, "detector_run", detector_run) / "run"
    original = read_trained(run)
    untrained = untrained_network(run, original, candidate, seed=0)
    out, cache = str(tmp_path / "out"), str(tmp_path / "cache")
    job = Job(
        action="train", run=str(run), candidate=candidate, out=out, cache=cache, epochs=epochs
    )
    made, _ = train_candidate(job, Silent())
    trained, model = read_trained(made), keras.saving.load_model(made / KERAS_FILE)
    width, height = candidate.size
    for network in (untrained, model):
        assert tuple(network.output_names) == output_names()
        assert [tuple(output.shape[1:]) for output in network.output] == [
            (height // stride, width // stride, numbers)
            for stride in STRIDES
            for numbers in (4, len(LABELS))
        ]
    assert model.count_params() == untrained.count_params()
    assert (trained.task, trained.labels) == ("detection", LABELS)
    assert trained.preprocess.size == candidate.size
    assert trained.decoder.grids is not None
    assert "validation.keras.map50" in trained.metrics
    assert read_samples(made) == read_samples(run)
