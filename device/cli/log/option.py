"""How a command tells what is logged: warnings alone, or as `--log-format` says."""

from __future__ import annotations

import logging
import sys
from typing import Any, cast

import click

from edgeinfer.device.cli.log.formats import LogFormat, TextFormatter, formatter
from edgeinfer.device.cli.log.handler import StreamHandler, handling
from edgeinfer.device.cli.log.journal import under_journald
from edgeinfer.device.cli.log.rate_limit import RateLimit
from edgeinfer.device.cli.options.common import Command
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.events import event

CLEAR_LINE = "\r\x1b[K"
_KEY = "edgeinfer.log_format"
_LOG = logging.getLogger(__name__)


class LoggedCommand(click.Command):
    """A command whose last words, an error, go the way of its other events."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; an error that ends it is told as other events are."""
        try:
            return super().invoke(ctx)
        except EdgeinferError as error:
            if ctx.meta.get(_KEY, "text") == "text":
                raise
            _LOG.error("%s", error, extra=event("error", limited=False))
            ctx.exit(error.exit_code)


def log_format_option(command: Command) -> Command:
    """Add `--log-format`; `log_events` takes its value."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json", "journald"]),
        help="Events on stderr as text, as JSON objects, or with journald's priorities; "
        "without it, journald's where stderr is the journal, else text.",
    )(command)


def log_events(log_format: str | None) -> StreamHandler:
    """Tell on stderr what a command that runs for long logs, to its end; return what does so."""
    if log_format is None:
        log_format = "journald" if under_journald(2) else "text"
    # The line that the terminal rewrites in place gives way, and is rewritten below.
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
    shape = formatter(cast(LogFormat, log_format), CLEAR_LINE if terminal else "")
    handler = StreamHandler(sys.stderr, shape, RateLimit())
    context = click.get_current_context()
    context.meta[_KEY] = log_format
    context.with_resource(handling(handler, logging.INFO))
    return handler


def log_warnings() -> None:
    """Tell on stderr what a short command logs as a warning, to its end."""
    handler = StreamHandler(sys.stderr, TextFormatter())
    click.get_current_context().with_resource(handling(handler, logging.WARNING))
