"""A short run of models that are opened and run: none may end the process that stands for ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeinfer.device.runtime.runner import installed_runtimes
from tests.support.checkout import ROOT


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize(("kind", "attempts"), [("one-operator", 600), ("mutated", 40)])
def test_no_model_ends_the_process(kind: str, attempts: int, runtime: str) -> None:
    # In a separate process: it forks, which one with TensorFlow's threads in it must not.
    command = [sys.executable, "-P", "-m", "tests.fuzz.models", kind, "--seed", "15"]
    command += ["--attempts", str(attempts), "--runtime", runtime]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Some must get as far as that process, or nothing was shown.
    assert "runs" in done.stdout
