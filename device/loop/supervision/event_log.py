"""Events on stderr: lines for people, JSON objects, or lines for journald.

Every part of the loop tells what happens through `EventLog`: cameras, delegates and outputs through
its `warn`, which takes one line. The same event is told at most every few seconds, with the number
of those left out: a cable with a loose contact must not fill a card within a month.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TextIO

from edgeinfer.device.core.errors import printable

LogFormat = Literal["text", "json", "journald"]

EVERY_S = 10.0
"""The same event is told at most so often."""
MOST_KINDS = 256
"""So many kinds of event are remembered; a month may bring more."""

ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6
"""Priorities of syslog(3), which journald understands as a prefix such as <4>."""

_LEVELS = {ERROR: "error", WARNING: "warning", NOTICE: "notice", INFO: "info"}
_NUMBER = re.compile(r"(?<![\w/.:-])-?\d+(?:[.,]\d+)*")
"""A number by itself: a time or a count, not part of a name such as /dev/video0."""


@dataclass
class _Kind:
    """An event that was told, and what was left out since.

    Attributes:
        told_s: when it was told last.
        left_out: how many like it were not.
        last: the last of these: priority, line and fields.
    """

    told_s: float
    left_out: int = 0
    last: tuple[int, str, Mapping[str, object]] = (INFO, "", {})


class EventLog:
    """Writes events to a stream; safe to use by several threads, and never raises.

    A stream that is closed or full takes nothing: there is no other place to say so, and the loop
    goes on. Events that cannot come often by themselves are told with `limited=False`, each one.

    Args:
        stream: where events go; None where the process has no stderr.
        style: `text` is for people, one line an event; `json` one object a line with `time`,
            `priority`, `level`, `event`, `message` and the event's own fields; `journald` the line
            behind its priority, `<4>...`, the fields behind it as a JSON object.
        before: what a text line begins with, to clear a line that a terminal rewrites in place.
        every_s: the same event is told at most so often.
        clock: seconds that never jump.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        style: LogFormat = "text",
        before: str = "",
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.style = style
        self._stream = stream
        self._before = before
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def info(self, event: str, line: str, *, limited: bool = True, **fields: object) -> None:
        """Tell what was chosen or done."""
        self._tell(INFO, event, line, fields, limited=limited)

    def notice(self, event: str, line: str, *, limited: bool = True, **fields: object) -> None:
        """Tell what changes how the loop runs, though nothing is wrong."""
        self._tell(NOTICE, event, line, fields, limited=limited)

    def warning(self, event: str, line: str, *, limited: bool = True, **fields: object) -> None:
        """Tell what is wrong though the work goes on."""
        self._tell(WARNING, event, line, fields, limited=limited)

    def error(self, line: str) -> None:
        """Tell what ends the work."""
        self._tell(ERROR, "error", line, {}, limited=False)

    def warn(self, line: str) -> None:
        """Tell what is wrong in one line: the `Warn` of cameras and others."""
        self.warning("warning", line)

    def _tell(
        self,
        priority: int,
        event: str,
        line: str,
        fields: Mapping[str, object],
        *,
        limited: bool,
    ) -> None:
        with self._lock:
            if not limited:
                self._write(self._format(priority, event, line, fields))
                return
            key, now_s = (event, _NUMBER.sub("#", line)), self._clock()
            kind = self._kinds.pop(key, None)
            if kind is not None and now_s - kind.told_s < self._every_s:
                kind.left_out += 1
                kind.last = (priority, line, fields)
                self._kinds[key] = kind
                return
            while len(self._kinds) >= MOST_KINDS:
                del self._kinds[next(iter(self._kinds))]
            self._kinds[key] = _Kind(told_s=now_s)
            left_out = 0 if kind is None else kind.left_out
            self._write(self._format(priority, event, line, fields, left_out))

    def catch_up(self, *, at_end: bool = False) -> None:
        """Tell the last of the events that were left out, where none like them came since.

        Args:
            at_end: tell them though they are younger than the interval.
        """
        with self._lock:
            now_s = self._clock()
            for (event, _), kind in self._kinds.items():
                if kind.left_out and (at_end or now_s - kind.told_s >= self._every_s):
                    self._write(
                        self._format(kind.last[0], event, *kind.last[1:], kind.left_out - 1)
                    )
                    kind.told_s, kind.left_out = now_s, 0

    def _format(
        self,
        priority: int,
        event: str,
        line: str,
        fields: Mapping[str, object],
        left_out: int = 0,
    ) -> str:
        line = printable(line)
        if left_out:
            line = f"{line} ({left_out:,} more like it before)"
            fields = {**fields, "left_out": left_out}
        if self.style == "json":
            from datetime import datetime, timezone

            stamp = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            return json.dumps(
                {
                    "time": stamp,
                    "priority": priority,
                    "level": _LEVELS[priority],
                    "event": event,
                    "message": line,
                    **fields,
                },
                default=str,
            )
        if self.style == "journald":
            return f"<{priority}>{line} {json.dumps({'event': event, **fields}, default=str)}"
        level = f"{_LEVELS[priority]}: " if priority <= WARNING else ""
        return f"{self._before}{level}{line}"

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        encoding = self._stream.encoding or "utf-8"
        with suppress(OSError, ValueError):  # ValueError: it was closed
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()


def under_journald(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a file descriptor is the journal's.

    systemd sets `JOURNAL_STREAM` to the device and inode of the stream; a process that was started
    from a service with its stderr elsewhere inherits the variable, but not the stream
    (systemd.exec(5)).
    """
    wanted = environment.get("JOURNAL_STREAM")
    if not wanted:
        return False
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return wanted == f"{status.st_dev}:{status.st_ino}"
