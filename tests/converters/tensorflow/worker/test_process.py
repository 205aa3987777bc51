"""TensorFlow's process: jobs in, answers out, and what happens when one of the two sides dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.converters.tensorflow.worker.process import LOG_FILE, TensorflowProcess
from edgeinfer.device.core.errors import (
    ConversionError,
    EdgeinferError,
    StorageError,
    TrainingError,
)
from tests.converters.common.listening import Listening
from tests.converters.tensorflow.worker.jobs import EchoJob
from tests.support.checkout import ROOT
from tests.support.untrusted_folder import work_in_untrusted_folder
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture(autouse=True)
def _findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process find this folder's jobs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_one_process_does_many_jobs_and_tells_how_far_it_is() -> None:
    listening = Listening()
    with TensorflowProcess() as process:
        said = [process.run(EchoJob(text=text), listening) for text in ("a", "é\n")]
    assert [one.text for one in said] == ["a", "é\n"]
    assert said[0].pid == said[1].pid != os.getpid()
    assert sum(listening.advances) == 20
    assert listening.told == ["echo of 10", "half way"] * 2


@pytest.mark.parametrize(
    ("raises", "kind", "sentence"),
    [
        ("ours", TrainingError, "x: diverged, expected not to; lower it"),
        ("disk", StorageError, "/full: cannot be written (no space left on device); free some"),
        ("theirs", ConversionError, "echo: ValueError: first line"),
    ],
)
def test_an_error_there_is_the_same_one_here_and_the_next_job_is_done(
    raises: str, kind: type[EdgeinferError], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        Here().run(EchoJob(raises=raises), Listening())
    assert str(caught.value).startswith(sentence)
    with TensorflowProcess() as process:
        with pytest.raises(kind) as caught:
            process.run(EchoJob(raises=raises))
        pid = process.pid
        assert process.run(EchoJob(text="next")).pid == pid
    assert str(caught.value).startswith(sentence)
    assert process.pid is None


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ("SIGSEGV", "was killed by SIGSEGV"),
        ("SIGKILL", "was killed by SIGKILL"),
        ("code", "ended with code 3 (its last words)"),
    ],
)
def test_one_that_dies_is_named_and_replaced(ends: str, told: str) -> None:
    with TensorflowProcess() as process:
        with pytest.raises(ConversionError) as caught:
            process.run(EchoJob(ends=ends))
        assert str(caught.value) == f"echo: its process {told}"
        assert process.run(EchoJob(text="next")).text == "next"


def test_one_that_was_killed_between_jobs_is_named_and_replaced() -> None:
    with TensorflowProcess() as process:
        pid = process.run(EchoJob()).pid
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ConversionError, match="killed by SIGKILL"):
            process.run(EchoJob())
        assert process.run(EchoJob()).pid != pid


def test_one_that_grows_is_replaced() -> None:
    with TensorflowProcess(growth_mib=50) as process:
        # The first job says how much it holds anyway.
        first = process.run(EchoJob(hold_mib=20)).pid
        assert process.run(EchoJob(hold_mib=20)).pid == first
        assert process.run(EchoJob(hold_mib=100)).pid == first
        assert process.pid is None
        assert process.run(EchoJob()).pid != first


def test_it_imports_nothing_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)
    monkeypatch.setenv("PYTHONPATH", f":.:{ROOT}")  # where this folder's jobs are
    with TensorflowProcess() as process:
        assert process.run(EchoJob(text="x")).text == "x"
    assert folder.imported() == []


def test_its_log_stays_in_the_folder_that_was_given(tmp_path: Path) -> None:
    with TensorflowProcess(tmp_path / "work") as process:
        process.run(EchoJob())
    assert "what libraries print is not a message" in (tmp_path / "work" / LOG_FILE).read_text()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        TensorflowProcess(tmp_path / "file" / "work") as process,
        pytest.raises(StorageError, match="cannot be written"),
    ):
        process.run(EchoJob())


def test_it_ends_when_its_caller_ends() -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "edgeinfer.converters.tensorflow.worker.main"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=PATIENCE_S) == 0


def test_ctrl_c_reaches_only_the_caller() -> None:
    with TensorflowProcess() as process:
        pid = process.run(EchoJob()).pid
        assert os.getsid(pid) != os.getsid(0)


def test_a_display_that_fails_ends_it() -> None:
    class Failing(Listening):
        def say(self, line: str) -> None:
            raise KeyboardInterrupt

    with TensorflowProcess() as process:
        pid = process.run(EchoJob()).pid
        with pytest.raises(KeyboardInterrupt):
            process.run(EchoJob(ends="hang"), Failing())
        assert process.pid is None
        assert not Path(f"/proc/{pid}").exists()


def test_one_that_hangs_can_be_killed_from_elsewhere() -> None:
    process = TensorflowProcess()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            process.run(EchoJob(ends="hang"))
        except EdgeinferError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: process.pid is not None)
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    thread.join(PATIENCE_S)
    assert [str(failure) for failure in failures] == ["echo: its process was killed by SIGKILL"]
    process.close()
