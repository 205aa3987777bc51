"""Standard streams that are closed or full when the program starts."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.program import PROGRAM


def in_shell(redirections: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.join([*PROGRAM, *map(str, arguments)])
    return subprocess.run(
        ["sh", "-c", f"exec {words} {redirections}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


@pytest.mark.parametrize("redirections", ["2>&-", ">&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_the_loop_runs_without_them(redirections: str, sample_bundle: Path, tmp_path: Path) -> None:
    arguments = ("run", "--camera", "simulated", "--model", sample_bundle, "--max-frames", 5)
    done = in_shell(redirections, *arguments, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if ">&- " not in f"{redirections} ":
        assert len(done.stdout.splitlines()) == 6
    if "2>" not in redirections:
        assert done.stderr.startswith("model: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("redirections", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_an_error_that_nobody_hears_keeps_its_exit_code(
    redirections: str, sample_bundle: Path, tmp_path: Path
) -> None:
    assert in_shell(redirections, "verify", "absent.edgebundle", cwd=tmp_path).returncode == 1
    assert in_shell(redirections, "run", cwd=tmp_path).returncode == 2
    assert in_shell(redirections, "verify", sample_bundle, cwd=tmp_path).returncode == 0


def test_answers_that_do_not_fit_are_reported_and_are_an_error_at_the_end(
    sample_bundle: Path, tmp_path: Path
) -> None:
    arguments = ("run", "--camera", "simulated", "--model", sample_bundle, "--max-frames", 5)
    done = in_shell(">/dev/full", *arguments, "--json", cwd=tmp_path)
    *_, warning, error = [line for line in done.stderr.splitlines() if "no space" in line]
    assert warning.startswith("warning: output json: ")
    assert "the loop goes on" in warning
    # Not one answer was taken: the caller must know that.
    assert done.returncode == 1
    assert error.startswith("error: output json: did not take 5 of 5 answers")
    assert "Traceback" not in done.stderr
