from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from edgeinfer.device.cli.help.command_group import Group
from tests.support.program import edgeinfer_here


@click.group(cls=Group)
def example() -> None:
    """Do nothing."""


@example.command()
def benchmark() -> None:
    """Do nothing either, with a summary that is longer than the page is wide."""


def test_a_mistyped_command_gets_the_nearest_one() -> None:
    answer = CliRunner().invoke(example, ["benchmrak"])
    assert answer.exit_code == 2
    assert "No such command 'benchmrak'; did you mean 'benchmark'?" in answer.output


def test_without_a_near_one_nothing_is_suggested() -> None:
    answer = CliRunner().invoke(example, ["xyz"])
    assert answer.exit_code == 2
    assert "No such command 'xyz'" in answer.output
    assert "did you mean" not in answer.output.lower()


def test_a_narrow_page_cuts_no_summary_off() -> None:
    page = CliRunner().invoke(example, ["--help"], terminal_width=50).output
    assert "Commands:\n  benchmark  Do nothing either" in page
    assert "..." not in page.split("[ARGS]...")[1]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("trian",), "train"),
        (("boards", "emulat"), "emulate"),
        (("data", "chek"), "check"),
        (("predict", "--modle", "x"), "--model"),
        (("boards", "show", "rpy4"), "rpi4"),
        (("boards", "show", "RPI5"), "rpi5"),
        (("train", "--architecture", "smal-cnn", "fashion-mnist"), "small-cnn"),
        (("train", "--task", "clasification", "."), "classification"),
        (("train", "--optimizer", "adan", "."), "adam"),
        (("verify", "--delegate", "edge-tpu"), "edgetpu"),
        (("inspect", "--accelerator", "ethosu"), "ethos-u"),
        (("run", "--log-format", "jurnald", "--camera"), "journald"),
    ],
)
def test_mistyped_names_everywhere(words: tuple[str, ...], meant: str) -> None:
    answer = edgeinfer_here(*words)
    assert answer.returncode == 2
    # Of options click names several.
    hint = answer.stderr.replace("Did", "did").partition("did you mean ")[2]
    assert f"'{meant}'" in hint.partition("?")[0], answer.stderr
