"""A candidate as a job: what its errors say."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.processes import ProcessEnd
from edgeinfer.host.search.worker.job import Job
from edgeinfer.host.search.worker.work import CandidateJob
from tests.host.search.examples import make_run, pruned


def candidate_job(run: Path, out: Path) -> CandidateJob:
    job = Job(action="build", run=str(run), candidate=pruned(), out=str(out), cache=str(out))
    return CandidateJob(job=job, log="work/worker.log")


def test_an_error_in_the_process_is_raised_here(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    with TensorflowProcess() as process, pytest.raises(ModelError, match=r"trained\.json"):
        process.run(candidate_job(run, tmp_path))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (-9, "its process was killed by SIGKILL; free memory"),
        (-11, "its process was killed by SIGSEGV; see work/worker.log"),
        (1, "its process ended with code 1; see work/worker.log"),
    ],
)
def test_a_death_is_reported_with_what_to_do(code: int, says: str, tmp_path: Path) -> None:
    error = candidate_job(tmp_path, tmp_path).lost(ProcessEnd(code=code))
    assert str(error) == f"{pruned().text()}: {says}"
