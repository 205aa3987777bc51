"""`edgeinfer cameras`: the cameras, with their modes and controls."""

from __future__ import annotations

import json

import click

from edgeinfer.device.cli.help.pages import Command
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say


@click.command(cls=Command)
@json_option
def cameras(as_json: bool) -> None:
    """List the cameras with their modes and controls.

    Also lists what else `edgeinfer run --camera` takes. No camera is switched on. An empty list is
    not an error.
    """
    from edgeinfer.device.cameras.list_cameras import list_cameras

    listing = list_cameras()
    say(json.dumps(listing.to_json()) if as_json else "\n".join(listing.lines()), whole=as_json)
