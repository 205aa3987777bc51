"""Groups of commands: a mistyped name gets the name that was probably meant."""

from __future__ import annotations

import click

from edgeinfer.device.core.errors import did_you_mean


class Group(click.Group):
    """A group whose subcommands may come from other packages."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named.

        Raises:
            click.UsageError: there is none of that name; it names the nearest one.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = did_you_mean(args[0], self.list_commands(ctx))
            if not meant or self.get_command(ctx, args[0]) is not None:
                raise
            raise click.UsageError(f"No such command '{args[0]}'; {meant}", ctx) from error
