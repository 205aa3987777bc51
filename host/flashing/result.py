"""The result of flashing one board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal[
    "confirmed",
    "unchanged",
    "rolled back",
    "refused",
    "not healthy",
    "removed",
    "nothing there",
    "planned",
    "failed",
    "left alone",
]
"""confirmed: the new release runs; unchanged: it ran already; rolled back: it was tried, and what
ran before runs again; refused: it did not verify, and was not tried; not healthy: it was
already the current one, and does not answer; removed, nothing there: of `unflash`; planned:
`--dry-run`; failed: before anything was switched; left alone: an earlier board failed."""

GOOD: tuple[Outcome, ...] = ("confirmed", "unchanged", "removed", "nothing there", "planned")


@dataclass(frozen=True, kw_only=True)
class HostResult:
    """The result for one host.

    Attributes:
        host: its name, as given.
        outcome: see `Outcome`.
        board: its model, system and Python; empty if it was not reached.
        release: the number of the release there; None where none was made.
        previous: the release that ran before; None where there was none.
        current: the release that runs now; None if none runs, or it is not known.
        sent_bytes: size of the sent files and agent.
        sent_files: how many files.
        answers: how many frames the trial answered.
        last: the last of these answers, from a line of JSON.
        reason: why it failed or was rolled back.
        seconds: how long each step took.
        steps: with `--dry-run`, what would be done, one line each; of `unflash`, what was removed.
        notes: remarks for the user.
    """

    host: str
    outcome: Outcome
    board: str = ""
    release: int | None = None
    previous: int | None = None
    current: int | None = None
    sent_bytes: int = 0
    sent_files: int = 0
    answers: int | None = None
    last: Mapping[str, Any] | None = None
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the board runs the right release."""
        return self.outcome in GOOD

    def to_json(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {
            "host": self.host,
            "outcome": self.outcome,
            "board": self.board,
            "release": self.release,
            "previous": self.previous,
            "current": self.current,
            "sent_bytes": self.sent_bytes,
            "sent_files": self.sent_files,
            "answers": self.answers,
            "last": self.last,
            "reason": self.reason,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "steps": list(self.steps),
            "notes": list(self.notes),
        }
