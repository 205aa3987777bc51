"""README's commands exist, take the options that they are shown with, and are those of the demo."""

from __future__ import annotations

import importlib
import re
import shlex
from importlib import metadata
from pathlib import Path

import click
import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.boards.files import PROFILES
from edgeinfer.boards.matrix import matrix_lines
from edgeinfer.device.cli.main import COMMANDS_GROUP, cli
from edgeinfer.host.demo import demo_steps
from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
JOINED = [block.replace("\\\n", " ") for block in SHELL]
LINES = [line for block in JOINED for line in block.splitlines() if line.strip()]
PROGRAM_LINES = [line for line in LINES if line.startswith("edgeinfer ")]


def parse(line: str) -> tuple[str, dict[str, object]]:
    """Parse a line as the program would, without running it."""
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, line
    while isinstance(command, click.Group) and (arguments or command.no_args_is_help):
        sub = command.get_command(click.Context(command), arguments.pop(0))
        assert sub is not None, line
        command = sub
    options, rest, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert rest == [], line
    return name, options


def test_readme_starts_with_its_two_commands() -> None:
    assert LINES[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("line", PROGRAM_LINES)
def test_program_lines_parse(line: str) -> None:
    parse(line)


def test_the_lines_by_hand_are_those_of_the_demo() -> None:
    by_hand = next(block for block in JOINED if "edgeinfer train fashion-mnist" in block)
    shown = [parse(line) for line in by_hand.splitlines() if line.startswith("edgeinfer ")]
    steps = [parse("edgeinfer " + shlex.join(step.arguments)) for step in demo_steps(Path("demo"))]
    assert [name for name, _ in shown] == [name for name, _ in steps]
    for (_, by_hand_options), (_, demo_options) in zip(shown, steps, strict=True):
        for option in set(by_hand_options) - {"photos", "camera"}:
            assert by_hand_options[option] == demo_options[option]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in shlex.split(line)[1:]:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)


def test_every_command_is_in_the_readme() -> None:
    for name in metadata.entry_points(group=COMMANDS_GROUP).names:
        assert f"edgeinfer {name}" in README or f"`{name}`" in README


def test_the_compatibility_matrix_is_what_the_boards_say() -> None:
    begin, end = "<!-- edgeinfer boards matrix -->\n", "<!-- end of the matrix -->\n"
    assert README.count(begin) == README.count(end) == 1, "README.md lacks the matrix's markers"
    shown = README.split(begin)[1].split(end)[0].strip()
    said = matrix_lines(load_profile(name) for name in profile_names(PROFILES))
    assert shown == "\n".join(said), "run `edgeinfer boards matrix` and put it into README.md"


def test_the_board_to_add_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "rpi4.toml").write_bytes((PROFILES / "rpi4.toml").read_bytes())
    assert load_profile("mine", tmp_path).memory_mib == 4096


def test_what_a_package_may_bring_is_named_as_it_is() -> None:
    rows = re.findall(r"^\| `(edgeinfer\.[\w.]+)` \| `([\w.]+)\.(\w+)` \|", README, re.MULTILINE)
    assert len(rows) == 5
    for group, module, name in rows:
        found = metadata.entry_points(group=group)
        kind = getattr(importlib.import_module(module), name)
        assert found
        assert all(isinstance(one.load(), kind) for one in found)
