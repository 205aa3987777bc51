"""The worker's process: jobs in, messages out, and what happens when one of the two dies."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EdgeinferError, StorageError, TrainingError
from edgeinfer.device.models.bundle.strict import from_json, parse_json
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.worker import build
from edgeinfer.host.search.worker import main as worker
from edgeinfer.host.search.worker.job import Done, Job, Message
from edgeinfer.host.search.worker.main import Messenger, answer
from edgeinfer.host.search.worker.process import WorkerProcess
from edgeinfer.host.training.progress import LineProgress
from tests.host.search.examples import SIZE, make_run, pruned
from tests.support.strangers_folder import work_in_strangers_folder
from tests.support.waiting import PATIENCE_S, until


def _job(run: Path, out: Path, candidate: Candidate | None = None) -> Job:
    return Job(
        action="build",
        run=str(run),
        candidate=candidate or pruned(),
        out=str(out),
        cache=str(out / "cache"),
    )


def _quiet() -> LineProgress:
    return LineProgress(io.StringIO())


@pytest.mark.parametrize(
    ("error", "storage", "got"),
    [
        (TrainingError("x", got="diverged", next_step="lower it"), False, "diverged"),
        (StorageError("x", got="is full"), True, "is full"),
        (OSError(28, "No space left on device"), True, "no space left"),
        (ValueError("first line\nsecond"), False, "ValueError: first line"),
    ],
)
def test_every_error_becomes_a_message(
    error: Exception, storage: bool, got: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(job: Job, messenger: Messenger) -> Done:
        raise error

    monkeypatch.setattr(worker, "run_job", fails)
    message = answer(_job(tmp_path, tmp_path), Messenger(io.StringIO()))
    assert message.failure is not None
    assert message.failure.storage == storage
    assert got in message.failure.got
    assert message.rss_mib > 1


def test_the_messenger_tells_steps_a_few_times_a_second() -> None:
    stream = io.StringIO()
    messenger = Messenger(stream)
    with messenger:
        messenger.start("train", 10_000)
        for _ in range(10_000):
            messenger.advance(note="loss 1")
        messenger.say("epoch 1")
    lines = stream.getvalue().splitlines()
    assert len(lines) < 100
    messages = [from_json(Message, parse_json(line.encode())) for line in lines]
    assert messages[0].start == "train"
    assert messages[-1].say == "epoch 1"


def test_an_error_in_the_worker_is_one_here(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    with WorkerProcess(tmp_path / "work") as process:
        with pytest.raises(TrainingError) as caught:
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        # It goes on with the next.
        pid = process.pid
        with pytest.raises(EdgeinferError):
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        assert process.pid == pid is not None
    assert "trained.json" in str(caught.value)
    assert process.pid is None


def test_a_worker_imports_nothing_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    folder = work_in_strangers_folder(tmp_path / "stranger", monkeypatch)
    with (
        WorkerProcess(tmp_path / "work") as process,
        pytest.raises(TrainingError, match=r"trained\.json"),
    ):
        process.run(_job(run, tmp_path), _quiet(), lambda: None)
    assert folder.imported() == []


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    with WorkerProcess(tmp_path / "work") as process:
        with pytest.raises(TrainingError):
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TrainingError, match=r"its process was killed by SIGKILL; free memory"):
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        with pytest.raises(TrainingError, match=r"trained\.json"):
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        assert process.pid not in (None, pid)


def test_a_worker_that_grows_is_replaced(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    with WorkerProcess(tmp_path / "work", growth_mib=-1e9) as process:
        pids = []
        for _ in range(3):
            with pytest.raises(TrainingError):
                process.run(_job(run, tmp_path), _quiet(), lambda: None)
            pids.append(process.pid)
    # The first job says how much it holds anyway.
    assert pids[0] is not None
    assert pids[1] is None


def test_the_worker_ends_with_the_search(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeinfer.host.search.worker.main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=PATIENCE_S) == 0


def test_ctrl_c_is_not_the_workers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "trained.json").write_text("{}")
    with WorkerProcess(tmp_path / "work") as process:
        with pytest.raises(TrainingError):
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        assert process.pid is not None
        assert os.getsid(process.pid) != os.getsid(0)


def test_closing_ends_what_is_in_work(tmp_path: Path) -> None:
    process = WorkerProcess(tmp_path / "work")
    failures: list[BaseException] = []
    run = make_run(tmp_path / "run")

    def work() -> None:
        try:
            process.run(_job(run, tmp_path), _quiet(), lambda: None)
        except EdgeinferError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: process.pid is not None)
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    thread.join(PATIENCE_S)
    assert len(failures) == 1
    process.close()


def test_a_candidates_pictures_have_its_size(tmp_path: Path) -> None:
    from edgeinfer.converters.run_folder.trained_run import read_trained

    spec = read_trained(make_run(tmp_path / "run")).preprocess
    assert build.candidate_spec(spec, pruned(size=(20, 20))).size == (20, 20)
    assert spec.size == SIZE
