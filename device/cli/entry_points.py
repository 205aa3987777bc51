"""Commands of other packages: entry points of a group, loaded only when they are needed."""

from __future__ import annotations

import click

from edgeinfer.device.core.installation.entry_points import load_entry_point


def load_command(group: str, name: str) -> click.Command | None:
    """Return the command of a group by its name; None if no package has it.

    Raises:
        TypeError: the entry point of that name is not a command.
    """
    command = load_entry_point(group, name)
    if command is not None and not isinstance(command, click.Command):
        raise TypeError(f"entry point {name} of {group} is not a click command")
    return command
