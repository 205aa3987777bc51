"""Commands of other packages: entry points of a group, loaded when they are asked for."""

from __future__ import annotations

import click

from edgeinfer.device.core.installation.entry_points import load_entry_point


def load_command(group: str, name: str) -> click.Command | None:
    """Return a group's command of that name; None where no package has it.

    Raises:
        TypeError: what is registered under the name is no command.
    """
    command = load_entry_point(group, name)
    if command is not None and not isinstance(command, click.Command):
        raise TypeError(f"entry point {name} of {group} is no click command")
    return command
