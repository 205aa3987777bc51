"""Every command's help page: summaries on one line, options in groups, defaults shown."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import click
import pytest

from edgeinfer.device.cli.help.pages import UNGROUPED_OPTIONS
from edgeinfer.device.cli.main import cli

Pair = tuple[click.Context, click.Command]


def walk(command: click.Command, parent: click.Context | None, name: str) -> Iterator[Pair]:
    """Give a command and all its subcommands, each with its context."""
    settings = {**command.context_settings, "terminal_width": 80}
    context = click.Context(command, parent, name, **settings)
    yield context, command
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None, each
            yield from walk(found, context, each)


@functools.cache
def all_commands() -> dict[str, Pair]:
    return {pair[0].command_path: pair for pair in walk(cli, None, "edgeinfer")}


def shown_options(context: click.Context, command: click.Command) -> list[click.Option]:
    """Return the options of a help page, without the one that click adds for the page itself."""
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    return [each for each in options if not each.hidden and "--help" not in each.opts]


def test_all_commands_are_walked() -> None:
    assert {"edgeinfer data check", "edgeinfer boards emulate"} <= set(all_commands())
    assert len(all_commands()) > 20


def test_summaries_fit_one_line_of_80_columns() -> None:
    for path, (context, command) in all_commands().items():
        if isinstance(command, click.Group):
            names = command.list_commands(context)
            for name in names:
                found = command.get_command(context, name)
                assert found is not None
                row = f"  {name:{max(map(len, names))}}  {found.get_short_help_str(1000)}"
                assert len(row) <= 78, row
                assert f"\n{row}\n" in command.get_help(context) + "\n"
        assert command.get_short_help_str(1000).endswith("."), path


def test_pages_fit_80_columns_and_have_every_option() -> None:
    for path, (context, command) in all_commands().items():
        lines = command.get_help(context).splitlines()
        assert max(map(len, lines)) <= 80, path
        first_words = [line.replace(",", " ").split()[:3] for line in lines]
        for option in shown_options(context, command):
            assert any(option.opts[0] in words for words in first_words), (path, option.opts)
            assert option.help, (path, option.opts)


def test_many_options_stand_under_headings() -> None:
    for path, (context, command) in all_commands().items():
        options = shown_options(context, command)
        if len(options) < UNGROUPED_OPTIONS:
            continue
        page = command.get_help(context)
        assert "\nOptions:\n" not in page, path
        for option in options:
            heading = getattr(option, "group", "")
            assert heading, (path, option.opts)
            assert f"\n{heading}:\n" in page, (path, option.opts)


def test_defaults_are_shown_and_ranges_are_words() -> None:
    for path, (context, command) in all_commands().items():
        for option in shown_options(context, command):
            record = option.get_help_record(context)
            assert record is not None
            assert "<=x" not in record[1], (path, option.opts)
            default = option.get_default(context, call=False)
            if isinstance(default, (int, float, str)) and default not in (False, ""):
                assert "default: " in record[1], (path, option.opts)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Camera", ("--camera-fps", "--camera-url-file", "--realtime")),
        ("Model", ("--model", "--labels")),
        ("Output", ("--output", "--json")),
        ("Speed", ("--threads", "--max-fps")),
        ("Log", ("--log-format",)),
    ],
)
def test_the_groups_of_run(heading: str, names: tuple[str, ...]) -> None:
    context, command = all_commands()["edgeinfer run"]
    page = command.get_help(context)
    part = page.split(f"\n{heading}:\n")[1].split("\n\n")[0]
    for name in names:
        assert f"{name} " in part
