from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeinfer.boards import BoardProfile, here, load_profile
from edgeinfer.device.cli.options.common import MAX_THREADS, model_options, threads_option
from edgeinfer.device.core.errors import UsageError
from tests.support.program import edgeinfer_here, error_line


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
    assert "[default: 3 on this board; 1 to 64]" in help_text


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


@click.command()
@model_options
def modelled(model: Path | None) -> None:
    click.echo(str(model))


@pytest.mark.parametrize(
    ("words", "model"),
    [
        ([], "None"),
        (["a.edgebundle"], "a.edgebundle"),
        (["--model", "a.tflite"], "a.tflite"),
        (["-m", "a.tflite", "./a.tflite"], "a.tflite"),
    ],
)
def test_a_path_alone_means_model(words: list[str], model: str) -> None:
    assert CliRunner().invoke(modelled, words).output == f"{model}\n"


def test_two_different_models_are_refused() -> None:
    raised = CliRunner().invoke(modelled, ["a.edgebundle", "-m", "b.edgebundle"]).exception
    expected = "a.edgebundle: is given, and the model b.edgebundle too, expected only one model"
    assert isinstance(raised, UsageError)
    assert str(raised) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "a.edgebundle", "--model", "b.edgebundle", "--camera"), "only one model"),
        (("run", "--camera", "a.edgebundle"), "`edgeinfer run --model a.edgebundle --camera`"),
        (("verify", "a.edgebundle", "--model", "b.edgebundle"), "only one model"),
        (("benchmark", "a.tflite", "--model", "b.edgebundle"), "only one model"),
        (("inspect", "a.tflite", "--model", "b.edgebundle"), "only one model"),
        (("doctor", "a.tflite", "--model", "b.edgebundle"), "only one model"),
        (("predict", "a.tflite", "x.jpg", "--model", "b.edgebundle"), "only one model"),
        (("predict", "a.tflite", "x.jpg", "b.edgebundle"), "only one model"),
        (("evaluate", "a.tflite", "data", "--model", "b.edgebundle"), "only one model"),
    ],
)
def test_models_that_contradict_each_other(words: tuple[str, ...], message: str) -> None:
    assert message in error_line(edgeinfer_here(*words), code=2)


@pytest.mark.parametrize("words", [("predict", "a.edgebundle"), ("evaluate", "a.edgebundle")])
def test_a_model_is_not_what_it_answers(words: tuple[str, ...]) -> None:
    answer = edgeinfer_here(*words)
    assert answer.returncode == 2
    assert "Missing argument" in answer.stderr
