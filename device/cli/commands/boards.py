"""`edgeinfer boards`: the boards that are known, what runs on them, and what goes together.

Subcommands of other packages are found as commands are: each is an entry point of the group
`edgeinfer.commands.boards`, loaded when it is asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.entry_points import load_command
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.core.installation.entry_points import entry_point_names

if TYPE_CHECKING:
    from edgeinfer.boards import BoardProfile

SUBCOMMANDS_GROUP = "edgeinfer.commands.boards"


class _Boards(click.Group):
    """Has its own subcommands, and those that other packages bring along."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *sorted(entry_point_names(SUBCOMMANDS_GROUP))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own if own is not None else load_command(SUBCOMMANDS_GROUP, cmd_name)


@click.group(cls=_Boards, invoke_without_command=True)
@json_option
@click.pass_context
def boards(ctx: click.Context, as_json: bool) -> None:
    """List the boards that are known; explain one; tell which versions go together.

    A board is a file: put NAME.toml into ~/.config/edgeinfer/boards, or into the folder that
    EDGEINFER_BOARDS names, to add one.
    """
    ctx.obj = as_json
    if ctx.invoked_subcommand is not None:
        return
    from edgeinfer.boards.files import added_files
    from edgeinfer.device.cli.boards.text import list_json, list_lines

    profiles = _profiles()
    lines = list_lines(profiles, added_files())
    click.echo(json.dumps(list_json(profiles)) if as_json else "\n".join(lines))


@boards.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(before: bool, name: str, as_json: bool) -> None:
    """Explain a board.

    Its processor and accelerator, the systems that it runs with their Python, runtime, cameras and
    sources, and latencies that were published.
    """
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.device.cli.boards.text import board_json, board_lines

    board = named_board(name, subject=f"board {name}")
    as_json = as_json or before
    click.echo(json.dumps(board_json(board)) if as_json else "\n".join(board_lines(board)))


@boards.command()
@json_option
@click.pass_obj
def matrix(before: bool, as_json: bool) -> None:
    """Print which versions go together.

    The compatibility matrix of all boards, as Markdown, each cell with its source.
    """
    from edgeinfer.boards.matrix import matrix_json, matrix_lines

    profiles = _profiles()
    as_json = as_json or before
    click.echo(json.dumps(matrix_json(profiles)) if as_json else "\n".join(matrix_lines(profiles)))


def _profiles() -> list[BoardProfile]:
    from edgeinfer.boards import load_profile, profile_names

    return [load_profile(name) for name in profile_names()]
