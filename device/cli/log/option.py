"""How a command prints what is logged: only warnings, or all events as `--log-format` says."""

from __future__ import annotations

import logging
import sys
from typing import Any, cast

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Command, Decorated, option_group
from edgeinfer.device.cli.log.formats import LogFormat, TextFormatter, formatter
from edgeinfer.device.cli.log.handler import StreamHandler, handling
from edgeinfer.device.cli.log.journal import under_journald
from edgeinfer.device.cli.log.rate_limit import RateLimit
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.events import event

CLEAR_LINE = "\r\x1b[K"
_KEY = "edgeinfer.log_format"
_LOG = logging.getLogger(__name__)


class LoggedCommand(Command):
    """A command that logs the error that ends it like its other events."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; log an error that ends it."""
        try:
            return super().invoke(ctx)
        except EdgeinferError as error:
            if ctx.meta.get(_KEY, "text") == "text":
                raise
            _LOG.error("%s", error, extra=event("error", limited=False))
            ctx.exit(error.exit_code)


def log_format_option(command: Decorated) -> Decorated:
    """Add `--log-format`; `log_events` takes its value."""
    return option_group("Log")(
        "--log-format",
        type=choice("text", "json", "journald"),
        show_default="journald if stderr is the journal, else text",
        help="How events are written on stderr: text, JSON objects, or lines with the priorities "
        "of journald.",
    )(command)


def log_events(log_format: str | None) -> StreamHandler:
    """Write on stderr what a long-running command logs, until it ends; return the handler."""
    if log_format is None:
        log_format = "journald" if under_journald(2) else "text"
    # The line that the terminal rewrites in place is cleared first, and written again below.
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
    shape = formatter(cast(LogFormat, log_format), CLEAR_LINE if terminal else "", sys.stderr)
    handler = StreamHandler(sys.stderr, shape, RateLimit())
    context = click.get_current_context()
    context.meta[_KEY] = log_format
    context.with_resource(handling(handler, logging.INFO))
    return handler


def log_warnings() -> None:
    """Write on stderr the warnings of a short command, until it ends."""
    handler = StreamHandler(sys.stderr, TextFormatter(stream=sys.stderr))
    click.get_current_context().with_resource(handling(handler, logging.WARNING))
