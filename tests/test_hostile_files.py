"""Files that strangers made to do harm: one line, exit code 1 or 2, soon, in little memory.

The commands run in this process, which a runtime must not reach: a model that ends a process would
end the tests. One command for each file runs in a process of its own, whose memory is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import edgeinfer.device
from edgeinfer.device.cli.main import run_program
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.support.checkout import ROOT

HOSTILE = ROOT.parent / "shared" / "cases" / "hostile"
FILES = sorted(path.name for path in HOSTILE.glob("*") if path.suffix in (".tflite", ".edgebundle"))
WITHOUT_RUNTIME: dict[str, Callable[[Path, Path], list[object]]] = {
    "inspect": lambda file, picture: ["inspect", file],
    "verify": lambda file, picture: ["verify", file],
    "predict": lambda file, picture: ["predict", "--model", file, picture],
    "run": lambda file, picture: ["run", "--camera", picture, "--model", file],
}

MOST_MIB = 300
# Generous beside the second or less that each takes: the machine may be busy.
MOST_CPU_S = 20

pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"{HOSTILE} is absent")


@pytest.fixture
def picture(shared_data: Path) -> Path:
    return shared_data / "coral" / "cat.bmp"


@pytest.mark.parametrize("command", WITHOUT_RUNTIME)
@pytest.mark.parametrize("name", FILES)
def test_every_command_says_one_line(
    name: str, command: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = WITHOUT_RUNTIME[command](HOSTILE / name, picture)
    code = run_program([str(argument) for argument in arguments])
    told = capsys.readouterr().err.strip().splitlines()
    assert (code, len(told)) == (1, 1), told
    assert told[0].startswith("error: ")
    assert "a defect" not in told[0]


@pytest.mark.parametrize("name", FILES)
def test_python_raises_an_error_of_ours(name: str, picture: Path) -> None:
    with pytest.raises(EdgeinferError):
        edgeinfer.device.open(HOSTILE / name, camera=picture)


_MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors="replace")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]))
"""


@pytest.mark.parametrize("name", FILES)
def test_it_ends_soon_in_little_memory(name: str, picture: Path) -> None:
    # Each runtime has its turn.
    runtime = installed_runtimes()[FILES.index(name) % len(installed_runtimes())]
    command = [sys.executable, "-P", "-c", _MEASURED, sys.executable, "-P"]
    command += ["-m", "edgeinfer.device.cli", "predict", "--model", str(HOSTILE / name)]
    done = subprocess.run(
        [*command, str(picture)],
        env={**os.environ, "EDGEINFER_RUNTIME": runtime},
        capture_output=True,
        text=True,
        check=True,
    )
    code, mib, cpu_s = json.loads(done.stdout)
    assert code == 1
    assert mib < MOST_MIB
    assert cpu_s < MOST_CPU_S
