"""The three formats of events: lines for people, JSON objects, or lines for journald."""

from __future__ import annotations

import json
import logging
from typing import Literal, TextIO

from edgeinfer.device.cli.say import folded
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.events import NOTICE

LogFormat = Literal["text", "json", "journald"]

_WARNING = 4
_PRIORITIES = {logging.ERROR: 3, logging.WARNING: _WARNING, NOTICE: 5, logging.INFO: 6}
"""Priorities of syslog(3), which journald understands as a prefix such as <4>."""


def event_name(record: logging.LogRecord) -> str:
    """Return the name of a record's event, or its level if it has none."""
    return str(getattr(record, "event", record.levelname.lower()))


def _priority(record: logging.LogRecord) -> int:
    return next((number for level, number in _PRIORITIES.items() if record.levelno >= level), 7)


def _line(record: logging.LogRecord) -> str:
    """Return a record's message on one line, with the number of equal ones that were left out."""
    line, left_out = printable(record.getMessage()), getattr(record, "left_out", 0)
    return f"{line} ({left_out:,} more like it before)" if left_out else line


def _fields(record: logging.LogRecord) -> dict[str, object]:
    left_out = getattr(record, "left_out", 0)
    more = {"left_out": left_out} if left_out else {}
    return {**getattr(record, "fields", {}), **more}


class TextFormatter(logging.Formatter):
    """One line per event, for people.

    Args:
        before: the start of each line, to clear a line that a terminal rewrites in place.
        stream: where the lines go; a terminal gets them broken between words.
    """

    def __init__(self, before: str = "", stream: TextIO | None = None) -> None:
        super().__init__()
        self._before = before
        self._stream = stream

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; warnings and errors have their level in front."""
        level = f"{record.levelname.lower()}: " if _priority(record) <= _WARNING else ""
        return self._before + folded(f"{level}{_line(record)}", self._stream)


class JsonFormatter(logging.Formatter):
    """An object per line: `time`, `priority`, `level`, `event`, `message` and more fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        from datetime import datetime, timezone

        # The time of writing: events that were kept back come after newer ones.
        stamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        return json.dumps(
            {
                "time": stamp,
                "priority": _priority(record),
                "level": record.levelname.lower(),
                "event": event_name(record),
                "message": _line(record),
                **_fields(record),
            },
            default=str,
        )


class JournaldFormatter(logging.Formatter):
    """The priority, `<4>`, then the line, then event and fields as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        behind = json.dumps({"event": event_name(record), **_fields(record)}, default=str)
        return f"<{_priority(record)}>{_line(record)} {behind}"


def formatter(
    log_format: LogFormat, before: str = "", stream: TextIO | None = None
) -> logging.Formatter:
    """Return the formatter of that name.

    Args:
        log_format: its name.
        before: the start of each line for people.
        stream: where such lines go.
    """
    if log_format == "json":
        return JsonFormatter()
    return JournaldFormatter() if log_format == "journald" else TextFormatter(before, stream)
