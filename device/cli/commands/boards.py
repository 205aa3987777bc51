"""`edgeinfer boards`: the known boards, what runs on them, and which versions work together.

Other packages add subcommands in the same way as commands: each is an entry point of the group
`edgeinfer.commands.boards`, loaded only when it is needed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.entry_points import load_command
from edgeinfer.device.cli.help.command_group import Group
from edgeinfer.device.cli.help.names import BOARD
from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.installation.entry_points import entry_point_names

if TYPE_CHECKING:
    from edgeinfer.boards import BoardProfile

SUBCOMMANDS_GROUP = "edgeinfer.commands.boards"


class _Boards(Group):
    """Has its own subcommands and those of other packages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *sorted(entry_point_names(SUBCOMMANDS_GROUP))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own if own is not None else load_command(SUBCOMMANDS_GROUP, cmd_name)


@click.group(cls=_Boards, invoke_without_command=True)
@json_option
@click.pass_context
def boards(ctx: click.Context, as_json: bool) -> None:
    """List the known boards, or show one.

    To add a board, put a file NAME.toml into ~/.config/edgeinfer/boards or into the folder that the
    variable EDGEINFER_BOARDS names.
    """
    ctx.obj = as_json
    if ctx.invoked_subcommand is not None:
        return
    from edgeinfer.boards.files import added_files
    from edgeinfer.device.cli.boards.text import list_json, list_lines

    profiles = _profiles()
    lines = list_lines(profiles, added_files())
    say(json.dumps(list_json(profiles)) if as_json else "\n".join(lines), whole=as_json)


@boards.command(cls=Command)
@click.argument("name", type=BOARD)
@json_option
@click.pass_obj
def show(before: bool, name: str, as_json: bool) -> None:
    """Show one board.

    Shows its processor and accelerator, the systems it runs with their Python, runtime, cameras and
    sources, and published latencies.
    """
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.device.cli.boards.text import board_json, board_lines

    board = named_board(name, subject=f"board {name}")
    as_json = as_json or before
    say(json.dumps(board_json(board)) if as_json else "\n".join(board_lines(board)), whole=as_json)


@boards.command(cls=Command)
@option("--markdown", is_flag=True, help="Print Markdown, in which each cell names its source.")
@json_option
@click.pass_obj
def matrix(before: bool, markdown: bool, as_json: bool) -> None:
    """Print which versions work together.

    Prints the compatibility matrix of all boards: each system with its Python and runtime, and the
    boards that it runs on.
    """
    from edgeinfer.boards.matrix import matrix_json, matrix_lines
    from edgeinfer.device.cli.boards.matrix import matrix_table

    as_json = as_json or before
    if as_json and markdown:
        raise UsageError("--markdown", got="is given together with --json", expected="one of them")
    profiles = _profiles()
    if as_json:
        click.echo(json.dumps(matrix_json(profiles)))
    elif markdown:
        click.echo("\n".join(matrix_lines(profiles)))
    else:
        say("\n".join(matrix_table(profiles)))


def _profiles() -> list[BoardProfile]:
    from edgeinfer.boards import load_profile, profile_names

    return [load_profile(name) for name in profile_names()]
