"""Files that attackers made to do harm: one line, exit code 1 or 2, soon, in little memory.

The commands run in this process, which a runtime must not reach: a model that ends a process would
end the tests. One command for each file runs in a separate process, whose memory is measured.
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
from edgeinfer.device.core.errors import BundleError, EdgeinferError
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.support.checkout import ROOT

CASES = ROOT.parent / "shared" / "cases"
FILES = sorted(
    f"{path.parent.name}/{path.name}"
    for pattern in ("hostile/*.tflite", "*/*.edgebundle")
    for path in CASES.glob(pattern)
)
BUNDLES = [name for name in FILES if name.endswith(".edgebundle")]
WITHOUT_RUNTIME: dict[str, Callable[[Path, Path], list[object]]] = {
    "inspect": lambda file, picture: ["inspect", file],
    "verify": lambda file, picture: ["verify", file],
    "predict": lambda file, picture: ["predict", "--model", file, picture],
    "run": lambda file, picture: ["run", "--camera", f"{picture}*", "--model", file],
}
OF_BUNDLES: dict[str, Callable[[Path], list[object]]] = {
    "benchmark": lambda file: ["benchmark", "--cold-starts", "0", file],
    "flash": lambda file: ["flash", "--board", "rpi4", "--host", "nobody@127.0.0.1", file],
    "emulate": lambda file: ["boards", "emulate", "rpi4", file],
}

MOST_MIB = 300
# Generous compared with the second or less that each takes: the machine may be busy.
MOST_CPU_S = 20

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is absent")


@pytest.fixture
def picture(shared_data: Path) -> Path:
    return shared_data / "coral" / "cat.bmp"


@pytest.mark.parametrize("command", WITHOUT_RUNTIME)
@pytest.mark.parametrize("name", FILES)
def test_every_command_says_one_line(
    name: str, command: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _assert_one_line(WITHOUT_RUNTIME[command](CASES / name, picture), capsys)


@pytest.mark.parametrize("command", OF_BUNDLES)
@pytest.mark.parametrize("name", BUNDLES)
def test_other_commands_print_one_line_about_a_bundle(
    name: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _assert_one_line(OF_BUNDLES[command](CASES / name), capsys)


def _assert_one_line(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    code = run_program([str(argument) for argument in arguments])
    told = capsys.readouterr().err.strip().splitlines()
    assert (code, len(told)) == (1, 1), told
    assert told[0].startswith("error: ")
    assert "a defect" not in told[0]
    assert "cannot be written" not in told[0]


def test_an_offset_that_is_one_too_far_is_damage(capsys: pytest.CaptureFixture[str]) -> None:
    path = CASES / "bundles" / "cd_offset_plus_one.edgebundle"
    assert run_program(["verify", str(path)]) == 1
    assert "cd_offset_plus_one.edgebundle: is damaged (" in capsys.readouterr().err
    with pytest.raises(BundleError, match="is damaged"):
        edgeinfer.device.Model.open(path)


@pytest.mark.parametrize("name", FILES)
def test_python_raises_an_edgeinfer_error(name: str, picture: Path) -> None:
    with pytest.raises(EdgeinferError):
        edgeinfer.device.open(CASES / name, camera=picture)


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
    command += ["-m", "edgeinfer.device.cli", "predict", "--model", str(CASES / name)]
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
