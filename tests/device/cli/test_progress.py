"""The line that says what a long command is doing, on a real terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgeinfer.device.cli.progress import busy, status_line
from tests.support.terminal import Terminal

_WORK = """
import pathlib, sys, time
from edgeinfer.device.cli.progress import busy
from edgeinfer.device.cli.say import say
with busy("reading the pictures of a folder with a rather long name"):
    say("note: one line that stays")
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.05)
print("done")
"""


def test_it_counts_the_seconds_and_leaves_lines_that_stay(tmp_path: Path) -> None:
    end = tmp_path / "end"
    shown = Terminal(end, columns=50, command=(sys.executable, "-c", _WORK))
    shown.wait_for("  2 s")
    end.touch()
    assert shown.end() == 0
    assert [line for line in shown.lines if line] == ["note: one line that stays", "done"]
    # Cut between words, with room for the seconds.
    assert "\rreading the pictures of a folder with a ...  2 s" in shown.raw


def test_nothing_is_shown_elsewhere(capfd: pytest.CaptureFixture[str]) -> None:
    with busy("waiting"), status_line() as show:
        show("still waiting")
    assert capfd.readouterr() == ("", "")


def test_verify_says_that_it_works(sample_bundle: Path) -> None:
    shown = Terminal("verify", sample_bundle)
    shown.wait_for("answering the golden frames")
    assert shown.end() == 0
    assert not any("answering" in line for line in shown.lines)
