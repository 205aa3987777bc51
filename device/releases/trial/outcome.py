"""What became of a trial, as the program that asked for it gets it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from edgeinfer.device.core.errors import storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.disk import make_folder
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.untrusted_json import parse_json

OutcomeName = Literal[
    "confirmed", "rolled back", "refused", "not healthy", "already current and healthy"
]
GOOD: tuple[OutcomeName, ...] = ("confirmed", "already current and healthy")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a trial ended.

    Attributes:
        release: what was tried.
        outcome: `refused`: before anything was switched. `not healthy`: the release is the current
            one and stays, but does not answer.
        reason: why it was not confirmed; empty if it was.
        answers: how many its process gave.
        last: the last answer, as the loop tells it; None without one.
        seconds: how long the trial took.
        current: what is current now; None for nothing.
    """

    release: int
    outcome: OutcomeName
    reason: str = ""
    answers: int = 0
    last: object = None
    seconds: float = 0.0
    current: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        return {
            "release": self.release,
            "outcome": self.outcome,
            "reason": self.reason,
            "answers": self.answers,
            "last": self.last,
            "seconds": round(self.seconds, 1),
            "current": self.current,
        }


def write_outcome(layout: Layout, request: str, outcome: dict[str, Any]) -> None:
    """Leave an outcome, or an error, for the `try` that waits for it.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        make_folder(layout.requests)
    except OSError as error:
        raise storage_error(layout.requests, error) from error
    write_atomically(layout.outcome, json.dumps({"id": request, "outcome": outcome}) + "\n")


def read_outcome(layout: Layout, request: str) -> dict[str, Any] | None:
    """Return the outcome that was left for a request, if one was."""
    try:
        record = parse_json(layout.outcome.read_text())
        outcome = record["outcome"]
        return outcome if record["id"] == request and isinstance(outcome, dict) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
