"""`edgeinfer inspect`: what a bundle or a `.tflite` file contains."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgeinfer.device.cli.options import json_option, resolve_model


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option("--ops", is_flag=True, help="Add each operator; --json always has them.")
@click.option(
    "--graph",
    type=click.Path(path_type=Path),
    metavar="SVG",
    help="Draw the graph into this file; of a bundle, the CPU variant's.",
)
@click.option("--board", metavar="NAME", help="Tell which operators the board's accelerator takes.")
@json_option
def inspect(
    model: Path | None, ops: bool, graph: Path | None, board: str | None, as_json: bool
) -> None:
    """Tell what FILE contains: a .edgebundle or any .tflite. It is read, not run.

    Without FILE, the installed bundle. MACs are the multiply-accumulates of one inference;
    activations are the memory that tensors need at least: a runtime may take more.
    """
    from edgeinfer.device.cli.board import board_json, board_lines, named_board
    from edgeinfer.device.describe import describe_file

    profile = None if board is None else named_board(board)
    if graph is not None and graph.suffix.lower() != ".svg":
        from edgeinfer.device.errors import UsageError

        raise UsageError(
            f"--graph {graph}",
            got="is no name of a drawing",
            expected="a file name that ends in .svg",
        )
    description = describe_file(resolve_model(model))
    if graph is not None:
        from edgeinfer.device.files import write_atomically
        from edgeinfer.device.graph_svg import draw_graph

        write_atomically(
            graph, draw_graph(description.main.model, name=Path(description.name).name)
        )
    if as_json:
        fit = {} if profile is None else board_json(profile, description)
        click.echo(json.dumps({**description.to_json(), **fit}))
        return
    lines = description.lines()
    if ops:
        lines += ["", "operators, first graph", *description.main.operator_lines()]
    if profile is not None:
        lines += board_lines(profile, description)
    click.echo("\n".join(lines))
