"""The zipapp: alone, under an isolated Python, with the standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from edgeinfer.device.releases.pack_agent import VERSION, build_agent
from tests.support.checkout import ROOT

PROBE = """\
import runpy, sys
sys.argv = [sys.argv[1], *sys.argv[2:]]
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
other = sorted(
    name for name in sys.modules
    if name.partition(".")[0] not in sys.stdlib_module_names
    and not name.startswith(("edgeinfer", "__main__"))
)
ours = sorted(name for name in sys.modules if name.startswith("edgeinfer."))
print(other, file=sys.stderr)
print(ours, file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    path = tmp_path / "releases.pyz"
    path.write_bytes(build_agent())
    return path


def run(agent: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(agent), *map(str, arguments)],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_same_sources_give_the_same_bytes() -> None:
    assert build_agent() == build_agent()


def test_it_holds_this_package_and_nothing_else() -> None:
    names = set(zipfile.ZipFile(BytesIO(build_agent())).namelist())
    inside = {
        name.removeprefix("edgeinfer/device/")
        for name in names
        if name.startswith("edgeinfer/device/")
    }
    package = ROOT / "device" / "releases"
    assert inside == {
        "__init__.py",
        "core/__init__.py",
        "core/camera_url.py",
        "core/errors.py",
        "core/files.py",
        "core/processes.py",
        *(f"releases/{path.relative_to(package)}" for path in package.rglob("*.py")),
    }
    assert names - {f"edgeinfer/device/{name}" for name in inside} == {
        "__main__.py",
        "edgeinfer/__init__.py",
    }


def test_it_tells_the_state_of_a_board_without_releases(agent: Path, tmp_path: Path) -> None:
    done = run(agent, "--prefix", tmp_path / "none", "state")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["schema"], told["agent"], told["current"]) == (1, VERSION, None)
    assert told["free_bytes"] > 0


def test_it_imports_the_standard_library_alone(agent: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROBE, str(agent), "--prefix", str(tmp_path), "state"],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    other, ours = done.stderr.splitlines()
    assert other == "[]"
    assert "edgeinfer.device.releases.trial.trial" in ours
    assert "edgeinfer.device.loop.run_loop" not in ours


@pytest.mark.parametrize(
    ("arguments", "code", "got"),
    [
        (["fly"], 2, "invalid choice: 'fly'"),
        (["try"], 2, "the following arguments are required: NUMBER"),
        (["try", "1", "--seconds", "nan"], 2, "nan is not between 0 and 86400"),
        (["try", "1"], 1, "is not installed"),
        (["rollback"], 1, "there is no previous release"),
        (["receive", f"{'0' * 64}:1"], 1, "is not set up"),
        (["receive", "0" * 64], 2, "'' is not a count"),
    ],
)
def test_errors_are_reported_as_json(
    agent: Path, tmp_path: Path, arguments: list[str], code: int, got: str
) -> None:
    done = run(agent, "--prefix", tmp_path / "none", *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    error = json.loads(done.stdout)["error"]
    if error["got"] != "does not run as root":
        assert got in error["got"]
    assert set(error) == {"code", "subject", "got", "expected", "next_step"}
    assert error["code"] == ("usage" if code == 2 else "release")
