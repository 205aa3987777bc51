"""The group of commands `edgeinfer data`."""

from __future__ import annotations

import click

from edgeinfer.device.cli.help.command_group import Group
from edgeinfer.host.cli.data.capture import capture
from edgeinfer.host.cli.data.check import check
from edgeinfer.host.cli.data.import_data import import_data
from edgeinfer.host.cli.data.propose import propose
from edgeinfer.host.cli.data.region import region


@click.group(cls=Group)
def data() -> None:
    """Collect, bring in and check labelled pictures for training."""


data.add_command(capture)
data.add_command(check)
data.add_command(import_data)
data.add_command(propose)
data.add_command(region)
