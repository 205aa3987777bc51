"""How a command that runs for long tells what happens: `--log-format`."""

from __future__ import annotations

import sys
from typing import Any, cast

import click

from edgeinfer.device.cli.options.common import Command
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.loop.supervision.event_log import EventLog, LogFormat, under_journald

CLEAR_LINE = "\r\x1b[K"
_KEY = "edgeinfer.log"


class LoggedCommand(click.Command):
    """A command whose last words, an error, go the way of its other events."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; an error that ends it is told as the log tells things."""
        try:
            return super().invoke(ctx)
        except EdgeinferError as error:
            log = ctx.meta.get(_KEY)
            if not isinstance(log, EventLog) or log.style == "text":
                raise
            log.error(str(error))
            ctx.exit(error.exit_code)


def log_format_option(command: Command) -> Command:
    """Add `--log-format`; `open_log` takes its value."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json", "journald"]),
        help="Events on stderr as text, as JSON objects, or with journald's priorities; "
        "without it, journald's where stderr is the journal, else text.",
    )(command)


def open_log(log_format: str | None) -> EventLog:
    """Return the log of this run of the program, on stderr."""
    if log_format is None:
        log_format = "journald" if under_journald(2) else "text"
    # The line that the terminal rewrites in place gives way, and is rewritten below.
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
    log = EventLog(
        sys.stderr, style=cast(LogFormat, log_format), before=CLEAR_LINE if terminal else ""
    )
    click.get_current_context().meta[_KEY] = log
    return log
