"""The group of commands `edgeinfer data`."""

from __future__ import annotations

import click

from edgeinfer.device.cli.help.command_group import Group
from edgeinfer.host.cli.data.check import check


@click.group(cls=Group)
def data() -> None:
    """Check labelled photos before training."""


data.add_command(check)
