"""What every output has in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.pictures.frame import Frame

TOP_LABELS = 5
"""How many of the most probable classes outputs show."""


@dataclass(frozen=True, kw_only=True)
class LoopFacts:
    """What an output may report of the loop in addition to its answers, as it is at the moment.

    Attributes:
        camera: what the source is.
        model: what answers; another one after a reload.
        dropped: frames that were too old, or that a newer one replaced before they were looked at.
    """

    camera: Callable[[], str]
    model: Callable[[], str]
    dropped: Callable[[], int]


class OutputGone(Exception):
    """The output will never take anything again, and nothing need be reported: its reader has
    left."""


class Output(Closing, Protocol):
    """Takes answers on a separate thread; it may take its time, and it may fail.

    After a failed write the next one begins again: opens the file, say. Until then the
    answers between are lost and counted in `dropped`.

    Attributes:
        dropped: answers that this output lost so far; set by the queue that drives it.
    """

    dropped: int = 0

    def write(self, answer: Answer) -> None:
        """Take an answer.

        Raises:
            EdgeinferError: it cannot be taken now; a later one may be.
            OutputGone: nothing can ever be taken again.
            BrokenPipeError: the same, for a closed pipe.
        """
        ...

    def finish(self, summary: LoopSummary) -> None:
        """Take the summary after the last answer; raises as `write` does."""
        return


def capture_time(frame: Frame) -> datetime:
    """Return when a frame was captured, by the wall clock as it is now, in UTC.

    Ages are counted on the monotonic clock, which never jumps; a stamp is only as good as the
    clock of the board, which on many boards is wrong until the network is there.
    """
    age_ns = time.monotonic_ns() - frame.captured_ns
    return datetime.fromtimestamp((time.time_ns() - age_ns) / 1e9, tz=timezone.utc)


def iso_time(moment: datetime) -> str:
    """Return a UTC time to the millisecond as ISO 8601 writes it, `2026-11-24T11:52:26.123Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
