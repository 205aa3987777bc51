"""The program as a whole: commands found, exit codes, errors as one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.program import PROGRAM, edgeinfer, error_line

COMMANDS = sorted((ROOT / "device" / "cli" / "commands").glob("*.py"))


def test_help_lists_the_commands_in_the_order_of_the_work() -> None:
    answer = edgeinfer("--help")
    assert answer.returncode == 0
    places = [answer.stdout.index(f"\n  {name} ") for name in ("demo", "train", "convert", "run")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "command", ["predict", "run", "verify", "inspect", "benchmark", "convert", "train"]
)
def test_every_command_explains_itself(command: str) -> None:
    answer = edgeinfer(command, "--help")
    assert answer.returncode == 0
    assert "Usage: edgeinfer" in answer.stdout


def test_wrong_usage_exits_with_2() -> None:
    assert edgeinfer("fly").returncode == 2
    assert edgeinfer("predict").returncode == 2
    assert edgeinfer("run").returncode == 2


def test_the_device_commands_import_no_training_stack() -> None:
    code = """
import sys
from edgeinfer.device.cli.main import run_program
assert run_program(["predict", "--help"]) == run_program(["run", "--help"]) == 0
assert run_program(["benchmark", "--help"]) == 0
import edgeinfer.device.models.model, edgeinfer.device.loop.run_loop, edgeinfer.device.models.verify
import edgeinfer.device.cameras, edgeinfer.device.outputs.text.terminal
import edgeinfer.device.diagnose.benchmark.benchmark, edgeinfer.device.diagnose.benchmark.remote
import edgeinfer.device.diagnose.benchmark.text
heavy = {"tensorflow", "keras", "rich", "jinja2", "matplotlib"}
heavy |= {"edgeinfer.host", "edgeinfer.converters"}
print(sorted(heavy & set(sys.modules)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", [path.stem for path in COMMANDS if path.stem != "__init__"])
def test_the_devices_own_commands_need_no_look_through_all_that_is_installed(command: str) -> None:
    """It takes longer than loading a model does."""
    code = f"""
import sys
from edgeinfer.device.cli.main import cli
command = cli.get_command(None, {command!r})
assert command.name == {command!r}
print("importlib.metadata" in sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert found.stdout == "False\n", (found.stdout, found.stderr)


def test_a_reader_that_leaves_early_gets_no_complaint(sample_bundle: Path, tmp_path: Path) -> None:
    command = " ".join([*PROGRAM, "inspect", str(sample_bundle)])
    answer = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""


def test_without_a_model_the_error_names_the_next_step(tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path)}
    line = error_line(edgeinfer("verify", env=env))
    assert "no bundle is installed in" in line
    assert "--model" in line
