"""Ctrl-C in a real terminal: the exit code of shells, and a line that says what was kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

_WORK = """
import sys, time
from pathlib import Path
import click
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli import main
from edgeinfer.device.cli.progress import busy

@click.command()
def work():
    out, report = Path("out"), Path("report")
    with tell_kept(out, report, None), busy("working"):
        if "write" in sys.argv[0]:
            out.write_text("whole")
        print("ready", flush=True)
        time.sleep(600)

main.load_command = lambda group, name: work
main.main(["work"])
"""


@pytest.mark.parametrize(
    ("before", "writes", "words"),
    [
        ([], False, "error: stopped; nothing was written"),
        (["report"], False, "error: stopped; nothing was written; report is as before"),
        (["report"], True, "error: stopped; out is kept"),
    ],
)
def test_it_says_what_was_kept(before: list[str], writes: bool, words: str, tmp_path: Path) -> None:
    for name in before:
        (tmp_path / name).touch()
    program = f"import sys; sys.argv[0] = {'write' if writes else 'read'!r}\n{_WORK}"
    shown = Terminal(command=(sys.executable, "-c", program), cwd=tmp_path)
    shown.wait_for("ready")
    shown.interrupt()
    assert shown.end() == 130
    assert [line for line in shown.lines if line][-1] == words
