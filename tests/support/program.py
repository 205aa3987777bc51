"""Runs the edgeinfer program: as a user does, in a separate process, or here."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from edgeinfer.device.cli.main import run_program

PROGRAM = (sys.executable, "-m", "edgeinfer.device.cli")


def edgeinfer(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command line; a traceback on stderr fails the test whatever the exit code."""
    finished = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return _sound(finished)


def edgeinfer_here(
    *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command line in this process: all of the program but its start and its end.

    A separate process takes 0.1 to 0.4 s of processor time for its imports. So this is for what
    they have no part in, where others of the command's tests run the program itself.
    """
    words = [str(argument) for argument in arguments]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        code = run_program(words)
    return _sound(subprocess.CompletedProcess(words, code, _text(out), _text(err)))


def error_line(finished: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """Return the one error line of a command that failed with `code`."""
    assert finished.returncode == code, (finished.returncode, finished.stderr)
    lines = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, finished.stderr
    return lines[0]


def _sound(finished: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert "Traceback" not in finished.stderr, finished.stderr
    assert "a defect in edgeinfer" not in finished.stderr, finished.stderr
    return finished


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
