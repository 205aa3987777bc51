"""What a delegate went through in a loop, in figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeinfer.device.stream import Stream


@dataclass(frozen=True, kw_only=True)
class DelegateCounts:
    """What a delegate went through.

    Attributes:
        hung: runs that gave no answer within the deadline.
        died: workers that ended by themselves in a run, or before one.
        failed: runs that ended with an error.
        not_started: workers that did not come up when they were started anew.
        restarts: workers that did.
        substituted: runs that the CPU variant answered.
        given_up: whether no worker is started any more.
    """

    hung: int = 0
    died: int = 0
    failed: int = 0
    not_started: int = 0
    restarts: int = 0
    substituted: int = 0
    given_up: bool = False

    def __str__(self) -> str:
        """Return the counts for people; empty where nothing happened."""
        parts = [
            f"{self.hung:,} hung" if self.hung else "",
            f"{self.died:,} died" if self.died else "",
            f"{self.failed:,} failed" if self.failed else "",
            f"{self.not_started:,} did not come back" if self.not_started else "",
            f"{self.restarts:,} restarted" if self.restarts else "",
            f"{self.substituted:,} frames answered by the CPU" if self.substituted else "",
            "given up" if self.given_up else "",
        ]
        return ", ".join(filter(None, parts))


@contextmanager
def telling_counts(stream: Stream, tell: Callable[[str, str], None]) -> Iterator[None]:
    """Tell at the end what the delegates went through, a line for each that had something to bear.

    Args:
        stream: whose models are looked at; those that it has at the end.
        tell: takes an event's name and the line.
    """
    try:
        yield
    finally:
        for model in stream.models:
            counts = str(getattr(model.runner, "counts", ""))
            if counts:
                tell("delegate", f"delegate: {getattr(model.runner, 'delegate', '')}: {counts}")
