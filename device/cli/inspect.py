"""`edgeinfer inspect`: what a bundle or a `.tflite` file contains."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edgeinfer.device.cli.options import json_option, resolve_model


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@json_option
def inspect(model: Path | None, as_json: bool) -> None:
    """Tell what FILE contains: a .edgebundle or any .tflite. It is read, not run.

    Without FILE, the installed bundle.
    """
    from edgeinfer.device.describe import describe_file

    description = describe_file(resolve_model(model))
    if as_json:
        click.echo(json.dumps(description.to_json()))
    else:
        click.echo("\n".join(description.lines()))
