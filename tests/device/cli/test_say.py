"""Errors, notes and answers on a real terminal, and in a pipe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.core.text.wrapping import columns
from tests.support.program import PROGRAM
from tests.support.terminal import Terminal

_LONG = "pictures-of-cats-and-dogs-in-the-garden"

MISTAKES = [
    ("verify", f"{_LONG}.edgebundle"),
    ("run", "--camera", f"http:/{_LONG}", "--threads", "many"),
    ("boards", "show", "toaster"),
]


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda words: words[0])
def test_a_terminal_gets_whole_words_and_a_pipe_whole_lines(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    piped = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=tmp_path)
    shown = Terminal(*arguments, columns=60, cwd=tmp_path)
    assert shown.end() == piped.returncode != 0
    words = " ".join(shown.lines).split()
    assert words == piped.stderr.split()
    assert all(columns(line) <= 60 for line in shown.lines)
    assert len(piped.stderr.splitlines()[-1]) > 60, "long enough to be broken"
