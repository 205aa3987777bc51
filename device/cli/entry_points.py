"""Commands of other packages: entry points of a group, loaded when they are asked for."""

from __future__ import annotations

import click


def entry_point_names(group: str) -> set[str]:
    """Return the names of a group's commands."""
    from importlib import metadata  # it looks through all that is installed

    return metadata.entry_points(group=group).names


def load_command(group: str, name: str) -> click.Command | None:
    """Return a group's command of that name; None where no package has it.

    Raises:
        TypeError: what is registered under the name is no command.
    """
    from importlib import metadata

    for entry in metadata.entry_points(group=group, name=name):
        command = entry.load()
        if not isinstance(command, click.Command):
            raise TypeError(f"entry point {entry.value} is no click command")
        return command
    return None
