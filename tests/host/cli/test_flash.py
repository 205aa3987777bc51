"""What `flash` and `unflash` refuse before they reach a board, and how quickly they begin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import edgeinfer, error_line

BOARD = ("--board", "generic-x86-64")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "a", "--host", "a", *BOARD), "'a' is named twice"),
        (("--host", "a", "--canary", "b", *BOARD), "'b' is not a --host, expected a"),
        (
            ("--host", "a", "--board", "no-such"),
            "'no-such' is not a known board, expected one of",
        ),
        (("--host", "-oProxyCommand=x", *BOARD), "is not a host"),
        (("--host", "a", *BOARD, "--ssh-option", "StrictHostKeyChecking=no"), "host's key off"),
        (("--host", "a", *BOARD, "--", "--model", "x"), "run option --model: is given"),
        (("--host", "a", *BOARD, "--", "--output", "status:x"), "flash sets it"),
    ],
)
def test_wrong_usage(sample_bundle: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in error_line(edgeinfer("flash", sample_bundle, *arguments), 2)


def test_a_run_option_that_does_not_exist(sample_bundle: Path) -> None:
    done = edgeinfer("flash", sample_bundle, "--host", "a", *BOARD, "--", "--no-such")
    assert done.returncode == 2
    assert "No such option '--no-such'" in done.stderr


@pytest.mark.parametrize("command", ["flash", "unflash"])
def test_a_host_is_needed(command: str, sample_bundle: Path) -> None:
    arguments = (sample_bundle, *BOARD) if command == "flash" else ()
    done = edgeinfer(command, *arguments)
    assert done.returncode == 2
    assert "Missing option '--host'" in done.stderr


def test_a_bundle_that_is_not_there() -> None:
    line = error_line(edgeinfer("flash", "/no/such.edgebundle", "--host", "a", *BOARD))
    assert line.startswith("error: /no/such.edgebundle: does not exist")


def test_nothing_of_the_training_stack_is_loaded() -> None:
    code = (
        "import sys\n"
        "import edgeinfer.host.cli.flash, edgeinfer.host.flashing.deploy\n"
        "import edgeinfer.host.flashing.fleet, edgeinfer.host.flashing.remove\n"
        "print([n for n in ('tensorflow', 'keras', 'rich', 'cv2') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
