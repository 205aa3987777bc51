"""How a command that runs for long tells what happens: `--log-format`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

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
        _own_stderr(), style=cast(LogFormat, log_format), before=CLEAR_LINE if terminal else ""
    )
    click.get_current_context().meta[_KEY] = log
    return log


def _own_stderr() -> TextIO | None:
    """Return stderr with a descriptor of its own.

    While a runtime opens a model, descriptor 2 is turned away to keep native code quiet, see
    `runtime.py`; what another thread tells meanwhile must not be lost with that.
    """
    stderr = sys.stderr
    try:
        if stderr is None or stderr.fileno() != 2:
            return stderr
        own = os.fdopen(os.dup(2), "w", encoding=stderr.encoding, errors="backslashreplace")
    except OSError:  # io.UnsupportedOperation among them
        return stderr
    click.get_current_context().call_on_close(lambda: _close(own))
    return own


def _close(stream: TextIO) -> None:
    # What a stderr that takes nothing still held back is nobody's loss.
    with suppress(OSError):
        stream.close()
