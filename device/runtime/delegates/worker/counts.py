"""What a delegate went through in a loop, in figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DelegateCounts:
    """What a delegate went through.

    Attributes:
        hung: runs that gave no answer within the deadline.
        died: workers that ended by themselves in a run, or before one.
        failed: runs that ended with an error.
        not_started: workers that did not come up when they were started again.
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
            f"{self.not_started:,} did not restart" if self.not_started else "",
            f"{self.restarts:,} restarted" if self.restarts else "",
            f"{self.substituted:,} frames answered by the CPU" if self.substituted else "",
            "given up" if self.given_up else "",
        ]
        return ", ".join(filter(None, parts))
