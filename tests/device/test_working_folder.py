"""What the device package starts, from a working folder which holds untrusted modules."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeinfer.device.core.processes import python_command
from edgeinfer.device.diagnose.benchmark.cold_start import time_cold_starts
from edgeinfer.device.diagnose.doctor.child import run_probe
from edgeinfer.device.loop.supervision.try_model import try_model
from edgeinfer.device.runtime.delegates.spec import delegate_spec
from edgeinfer.device.runtime.delegates.worker.process import (
    WorkerJob,
    WorkerProcess,
    WorkerStartError,
)
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.support.untrusted_folder import UntrustedFolder, work_in_untrusted_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UntrustedFolder:
    return work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)


def test_the_trial_of_a_reload(sample_bundle: Path, folder: UntrustedFolder) -> None:
    assert try_model(sample_bundle, OpenOptions(), stop=threading.Event())
    assert folder.imported() == []


def test_the_doctors_probes(sample_bundle: Path, folder: UntrustedFolder) -> None:
    for name, *arguments in (("numpy",), ("model", str(sample_bundle))):
        end = run_probe(name, *arguments, timeout_s=60)
        assert end.code == 0, end.stderr
    assert folder.imported() == []


def test_a_cold_start(sample_bundle: Path, folder: UntrustedFolder) -> None:
    assert time_cold_starts(sample_bundle, OpenOptions(), runs=1).median_ms > 0
    assert folder.imported() == []


def test_a_delegates_worker(folder: UntrustedFolder) -> None:
    """It goes as far as the library, which is none: everything has been imported by then."""
    delegate = delegate_spec(str(folder.path / "json.py"))
    job = WorkerJob(
        delegate=delegate, runtime=installed_runtimes()[0], model=None, subject="nothing"
    )
    with WorkerProcess(job) as worker, pytest.raises(WorkerStartError) as caught:
        worker.load(limit_s=60)
    assert caught.value.stage == "delegate"
    assert folder.imported() == []


@pytest.mark.parametrize("by_module", [False, True], ids=["program", "module"])
def test_the_program_itself(sample_bundle: Path, folder: UntrustedFolder, by_module: bool) -> None:
    """`-m` is the user's choice; what it imports before our first line is Python's affair."""
    program = [str(Path(sys.executable).with_name("edgeinfer"))]
    if by_module:
        program = [sys.executable, "-m", "edgeinfer.device.cli"]
        (folder.path / "runpy.py").unlink()
        (folder.path / "edgeinfer.py").unlink()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*program, "verify", str(sample_bundle)], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert folder.imported() == []


def test_what_libraries_start_by_themselves(folder: UntrustedFolder) -> None:
    """The program protects all its children, also those that libraries start."""
    code = (
        "import subprocess, sys\n"
        "from edgeinfer.device.cli.main import main\n"
        "try:\n"
        "    main(['--version'])\n"
        "except SystemExit:\n"
        "    subprocess.run([sys.executable, '-c', 'import json'], check=True)\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(python_command("-c", code), env=env, check=True, capture_output=True)
    assert folder.imported() == ([] if sys.version_info >= (3, 11) else ["json"])
