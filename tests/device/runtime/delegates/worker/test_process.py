"""One worker process: what it inherits, and that it ends with the program, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_S, until

# Starts a runner as the camera loop does, tells its worker's number, and waits.
PROGRAM = """
import sys, time
import numpy as np
from edgeinfer.device.runtime.delegates.runner import DelegateRunner
from edgeinfer.device.runtime.delegates.spec import delegate_spec
runner = DelegateRunner(open(sys.argv[2], "rb").read(), delegate_spec(sys.argv[1]), subject="x")
camera = open(sys.argv[2], "rb")
import os
os.set_inheritable(camera.fileno(), False)
print(runner.worker_pid, flush=True)
zeros = [np.zeros(spec.shape, spec.dtype) for spec in runner.inputs]
try:
    while True:
        runner.invoke(zeros)
        print("answer", flush=True) if len(sys.argv) > 3 else None
        time.sleep(0.01)
except KeyboardInterrupt:
    runner.close()
"""


@pytest.fixture
def model_file(model: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(model)
    return path


def start(library: Path, model_file: Path) -> tuple[subprocess.Popen[str], int]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(library), str(model_file)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    return program, int(program.stdout.readline())


def has_ended(pid: int) -> bool:
    """True once a process has ended; one that its new parent has not reaped has ended too."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def await_gone(pid: int) -> None:
    until(lambda: has_ended(pid), f"the end of worker {pid}")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_worker_ends_with_its_program(
    reference_delegate: Path, model_file: Path, number: signal.Signals
) -> None:
    program, worker = start(reference_delegate, model_file)
    with program:
        os.kill(program.pid, number)
        assert program.wait(timeout=PATIENCE_S) == -number
        await_gone(worker)


def test_a_worker_that_hangs_ends_with_its_program(
    reference_delegate: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFERENCE_DELEGATE", "fault=hang;after=10")
    program, worker = start(reference_delegate, model_file)
    with program:
        time.sleep(0.5)
        os.kill(program.pid, signal.SIGKILL)
        program.wait(timeout=PATIENCE_S)
        await_gone(worker)


def test_ctrl_c_and_systemds_stop_leave_the_worker_to_its_program(
    reference_delegate: Path, model_file: Path
) -> None:
    program, worker = start(reference_delegate, model_file)
    with program:
        assert os.getpgid(worker) != os.getpgid(program.pid)  # where the terminal's Ctrl-C goes
        os.kill(worker, signal.SIGINT)
        os.kill(worker, signal.SIGTERM)
        time.sleep(0.3)
        assert not has_ended(worker)
        os.kill(program.pid, signal.SIGINT)
        assert program.wait(timeout=PATIENCE_S) == 0
        assert has_ended(worker)


def test_a_worker_holds_nothing_of_the_programs(reference_delegate: Path, model_file: Path) -> None:
    program, worker = start(reference_delegate, model_file)
    with program:
        folder = Path(f"/proc/{worker}/fd")
        held = {os.readlink(file) for file in folder.iterdir()}
        program.kill()
    assert str(model_file) not in held
    kinds = {name.partition(":")[0].partition("/memfd")[0] for name in held}
    assert kinds <= {"/dev/null", "socket", ""}, held
