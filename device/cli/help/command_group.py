"""Groups of commands: their list under headings, and a hint for a mistyped name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import click

from edgeinfer.device.cli.help.pages import write_sections
from edgeinfer.device.core.errors import did_you_mean

_OTHER = "Commands"


class Group(click.Group):
    """A group whose subcommands may come from other packages.

    Attributes:
        headings: the names of the commands under each heading; others come last.
    """

    headings: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a name.

        Raises:
            click.UsageError: there is none of that name; the error has the nearest one.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = did_you_mean(args[0], self.list_commands(ctx))
            if not meant or self.get_command(ctx, args[0]) is not None:
                raise
            raise click.UsageError(f"No such command '{args[0]}'; {meant}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their whole summaries, under the headings."""
        heading_of = {name: heading for heading, names in self.headings.items() for name in names}
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in self.headings}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = heading_of.get(name, _OTHER)
                sections.setdefault(heading, []).append((name, command.get_short_help_str(1000)))
        write_sections(formatter, {heading: rows for heading, rows in sections.items() if rows})
