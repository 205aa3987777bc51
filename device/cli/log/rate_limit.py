"""The same event is written at most every few seconds, with the number of those left out.

A loose cable must not fill a memory card within a month.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgeinfer.device.cli.log.formats import event_name

EVERY_S = 10.0
"""The shortest time between two equal events, in seconds."""
MOST_KINDS = 256
"""How many kinds of events are remembered; a month may bring more."""

_NUMBER = re.compile(r"(?<![\w/.:-])-?\d+(?:[.,]\d+)*")
"""A separate number, a time or a count; not part of a name such as /dev/video0."""


@dataclass
class _Kind:
    """An event that was written, and the equal ones that were left out since.

    Attributes:
        written_s: when it was written last, in seconds.
        left_out: how many equal ones were left out.
        last: the last of these.
    """

    written_s: float
    left_out: int = 0
    last: logging.LogRecord | None = None


class RateLimit(logging.Filter):
    """Leaves out events that were written a moment ago; for one handler, under its lock.

    Records that are logged with `limited=False` always pass. A record that passes after equal ones
    were left out has their number as `left_out`.

    Args:
        every_s: the shortest time between two equal events.
        clock: seconds that never jump.
    """

    def __init__(
        self, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written now."""
        if not getattr(record, "limited", True):
            return True
        key, now_s = (event_name(record), _NUMBER.sub("#", record.getMessage())), self._clock()
        kind = self._kinds.pop(key, None)
        if kind is not None and now_s - kind.written_s < self._every_s:
            kind.left_out += 1
            # The arguments may keep an error alive, with everything in its traceback.
            record.msg, record.args = record.getMessage(), None
            kind.last = record
            self._kinds[key] = kind
            return False
        while len(self._kinds) >= MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[key] = _Kind(written_s=now_s)
        vars(record)["left_out"] = 0 if kind is None else kind.left_out
        return True

    def overdue(self, *, at_end: bool = False) -> list[logging.LogRecord]:
        """Return the last of the events that were left out, if no equal one was written since.

        Args:
            at_end: return them even if they are newer than the interval.
        """
        found, now_s = [], self._clock()
        for kind in self._kinds.values():
            if kind.last is not None and (at_end or now_s - kind.written_s >= self._every_s):
                vars(kind.last)["left_out"] = kind.left_out - 1
                found.append(kind.last)
                kind.written_s, kind.left_out, kind.last = now_s, 0, None
        return found
