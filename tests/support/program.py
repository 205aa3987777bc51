"""Runs the edgeinfer program as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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
    assert "Traceback" not in finished.stderr, finished.stderr
    assert "a defect in edgeinfer" not in finished.stderr, finished.stderr
    return finished


def error_line(finished: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """Return the one error line of a command that failed with `code`."""
    assert finished.returncode == code, (finished.returncode, finished.stderr)
    lines = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, finished.stderr
    return lines[0]
