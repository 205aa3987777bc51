"""A program `ssh` that runs the remote command on this machine, or fails as ssh does."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = 'for last; do :; done; exec sh -c "$last"'
"""What the script does to run the remote command; the fakes put it after their own lines."""


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a script of that name in front of the path."""
    program = folder / "ssh"
    folder.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
