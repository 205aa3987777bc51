"""The same event is told at most every few seconds, with the number of those left out.

A cable with a loose contact must not fill a card within a month.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from edgeinfer.device.cli.log.formats import event_name

EVERY_S = 10.0
"""The same event is told at most so often."""
MOST_KINDS = 256
"""So many kinds of event are remembered; a month may bring more."""

_NUMBER = re.compile(r"(?<![\w/.:-])-?\d+(?:[.,]\d+)*")
"""A number by itself: a time or a count, not part of a name such as /dev/video0."""


@dataclass
class _Kind:
    """An event that was told, and what was left out since.

    Attributes:
        told_s: when it was told last.
        left_out: how many like it were not.
        last: the last of these.
    """

    told_s: float
    left_out: int = 0
    last: logging.LogRecord | None = None


class RateLimit(logging.Filter):
    """Keeps back what was told a moment ago; for one handler, under its lock.

    Records that are logged with `limited=False` pass, each one. One that passes after others were
    kept back has their number as `left_out`.

    Args:
        every_s: the same event is told at most so often.
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
        """Tell whether a record is told now."""
        if not getattr(record, "limited", True):
            return True
        key, now_s = (event_name(record), _NUMBER.sub("#", record.getMessage())), self._clock()
        kind = self._kinds.pop(key, None)
        if kind is not None and now_s - kind.told_s < self._every_s:
            kind.left_out += 1
            # With its arguments an error would stay, and all that its traceback holds.
            record.msg, record.args = record.getMessage(), None
            kind.last = record
            self._kinds[key] = kind
            return False
        while len(self._kinds) >= MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[key] = _Kind(told_s=now_s)
        vars(record)["left_out"] = 0 if kind is None else kind.left_out
        return True

    def overdue(self, *, at_end: bool = False) -> list[logging.LogRecord]:
        """Return the last of the events that were left out, where none like them came since.

        Args:
            at_end: return them though they are younger than the interval.
        """
        found, now_s = [], self._clock()
        for kind in self._kinds.values():
            if kind.last is not None and (at_end or now_s - kind.told_s >= self._every_s):
                vars(kind.last)["left_out"] = kind.left_out - 1
                found.append(kind.last)
                kind.told_s, kind.left_out, kind.last = now_s, 0, None
        return found
