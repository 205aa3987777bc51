"""`edgeinfer cameras`: what cameras there are, with modes and controls."""

from __future__ import annotations

import json

import click

from edgeinfer.device.cli.options.common import json_option


@click.command()
@json_option
def cameras(as_json: bool) -> None:
    """List the cameras with their modes and controls, and what else --camera takes.

    No camera is switched on. Without any the list is empty, which is no error.
    """
    from edgeinfer.device.cameras.list_cameras import list_cameras

    listing = list_cameras()
    click.echo(json.dumps(listing.to_json()) if as_json else "\n".join(listing.lines()))
