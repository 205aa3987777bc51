from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeinfer.boards import BoardProfile, here, load_profile
from edgeinfer.device.cli.options.common import MAX_THREADS, threads_option


@click.command()
@threads_option
def example(threads: int) -> None:
    click.echo(threads)


def on_board(profile: BoardProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "threads_here", profile.thread_count)


def test_threads_are_the_boards_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    on_board(load_profile("rpi4"), monkeypatch)
    assert CliRunner().invoke(example, []).output == "3\n"
    assert CliRunner().invoke(example, ["--threads", "2"]).output == "2\n"
    help_text = " ".join(CliRunner().invoke(example, ["--help"]).output.split())
    assert "[default: the board's, 3]" in help_text


def test_a_machine_with_very_many_cores_stays_in_range(monkeypatch: pytest.MonkeyPatch) -> None:
    server = BoardProfile(name="server", title="A server", architecture="x86_64", cores=256)
    on_board(server, monkeypatch)
    assert CliRunner().invoke(example, []).output == f"{MAX_THREADS}\n"


def test_the_board_is_not_looked_at_for_the_programs_help(tmp_path: Path) -> None:
    code = """
import sys
from edgeinfer.device.cli.main import run_program
assert run_program(["--help"]) == 0
assert "edgeinfer.boards" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
