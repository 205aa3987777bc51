"""`edgeinfer inspect`: what a bundle or a `.tflite` file contains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.accelerators.registry import OWN, find_accelerator
from edgeinfer.device.cli.help.names import ACCELERATOR, BOARD, choice
from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.options.common import json_option, model_options, resolve_model
from edgeinfer.device.cli.say import say

if TYPE_CHECKING:
    from edgeinfer.boards import BoardProfile
    from edgeinfer.device.diagnose.inspect.description import BundleDescription, ModelDescription


def _accelerator(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    """Return the accelerator's name; search other packages only if it is not edgeinfer's."""
    if name is None or find_accelerator(name) is not None:
        return name
    return str(choice(*sorted(OWN)).convert(name, parameter, context))


@click.command(cls=Command)
@model_options
@option("--all", "everything", is_flag=True, help="Add settings, metrics, tensors and operators.")
@option("--ops", is_flag=True, help="Add each operator. --json always has them.")
@option(
    "--graph",
    type=click.Path(path_type=Path),
    metavar="SVG",
    help="Draw the graph into this file; of a bundle, the graph of the CPU variant.",
)
@option(
    "--board",
    type=BOARD,
    metavar="NAME",
    help="Show for each operator whether this board's accelerator runs it.",
)
@option(
    "--accelerator",
    type=ACCELERATOR,
    metavar=f"[{'|'.join(sorted(OWN))}]",
    callback=_accelerator,
    help="The same for an accelerator, on any board.",
)
@json_option
def inspect(
    model: Path | None,
    everything: bool,
    ops: bool,
    graph: Path | None,
    board: str | None,
    accelerator: str | None,
    as_json: bool,
) -> None:
    """Show what a bundle or .tflite contains.

    Of a bundle what matters comes first; --all adds how it was made and what its models consist of.
    The file is read, not run. MACs are the multiply-accumulates of one inference; activations are
    the least memory that the tensors need, and a runtime may need more. The table of boards is
    calculated from documented rules, not measured. Without BUNDLE: the installed bundle.
    """
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.device.diagnose.inspect.description import describe_file

    if board is not None and accelerator is not None:
        from edgeinfer.device.core.errors import UsageError

        raise UsageError(
            "--accelerator", got="is given together with --board", expected="one of them"
        )
    profile = None if board is None else named_board(board)
    if graph is not None and graph.suffix.lower() != ".svg":
        from edgeinfer.device.core.errors import UsageError

        raise UsageError(
            f"--graph {graph}",
            got="is not the name of a drawing",
            expected="a file name that ends in .svg",
        )
    description = describe_file(resolve_model(model))
    if graph is not None:
        from edgeinfer.device.core.files import write_atomically
        from edgeinfer.device.diagnose.inspect.graph_svg import draw_graph

        write_atomically(
            graph, draw_graph(description.main.model, name=Path(description.name).name)
        )
    if as_json:
        fit = _fit_json(description, profile, accelerator)
        click.echo(json.dumps({**description.to_json(), **fit}))
        return
    lines = description.lines() if everything else description.summary_lines()
    if ops:
        lines += ["", "operators, first graph", *description.main.operator_lines()]
    say("\n".join([*lines, *_fit_lines(description, profile, accelerator)]))


def _fit_json(
    description: BundleDescription | ModelDescription,
    profile: BoardProfile | None,
    accelerator: str | None,
) -> dict[str, object]:
    from edgeinfer.device.cli.boards.option import accelerator_json, board_json
    from edgeinfer.device.cli.boards.table import board_fits, fits_json

    if profile is not None:
        return board_json(profile, description)
    if accelerator is not None:
        return accelerator_json(accelerator, description)
    return fits_json(board_fits(description))


def _fit_lines(
    description: BundleDescription | ModelDescription,
    profile: BoardProfile | None,
    accelerator: str | None,
) -> list[str]:
    from edgeinfer.device.cli.boards.option import accelerator_lines, board_lines
    from edgeinfer.device.cli.boards.table import board_fits, fits_lines

    if profile is not None:
        return board_lines(profile, description)
    if accelerator is not None:
        return accelerator_lines(accelerator, description)
    return fits_lines(board_fits(description))
