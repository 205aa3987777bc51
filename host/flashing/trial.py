"""A release's trial, which continues on the board when the connection is lost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from edgeinfer.device.core.errors import UnreachableError
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.progress import Tell

AGAIN_S = 3.0
"""Time between two attempts to reach a board again."""

_PATIENCE_S = 600.0
"""Extra time to wait after the trial's own limit, since verifying comes first."""

_THERE = "already current and healthy"
_ENDS = ("confirmed", "rolled back", "refused", "not healthy")
"""Events of the history that end a trial."""


def try_release(
    board: Board,
    python: str,
    number: int,
    *,
    frames: int,
    trial_s: float,
    before: Mapping[str, Any],
    tell: Tell,
    again_s: float = AGAIN_S,
    patience_s: float = _PATIENCE_S,
) -> dict[str, Any]:
    """Let the agent try a release and return its outcome.

    Args:
        board: the board.
        python: the interpreter there.
        number: the release.
        frames: how many answers the trial needs.
        trial_s: how long they may take.
        before: the agent's state before the trial.
        tell: shows that the connection is lost.
        again_s: time between two attempts to reach it again.
        patience_s: extra time to wait after the trial's own limit.

    Raises:
        UnreachableError: the connection was lost and did not come back in time.
        RemoteError: the agent refused.
    """
    words = ("try", str(number), "--frames", str(frames), "--seconds", f"{trial_s:g}")
    try:
        return board.agent(python, *words)
    except UnreachableError as error:
        failure = error
    tell.say("note", "the connection is lost; the trial goes on there; asking for its result")
    deadline = time.monotonic() + trial_s + patience_s
    while time.monotonic() < deadline:
        tell.show("connecting to the board again")
        time.sleep(again_s)
        try:
            state = board.agent(python, "state")
            outcome = _outcome(state, before, number)
            if outcome is not None:
                return outcome
            # Not over: this joins a running trial, or begins one that has not begun.
            answer = board.agent(python, *words)
            if answer.get("outcome") == _THERE and before.get("current") != number:
                answer["outcome"] = "confirmed"  # it ended between the two questions
            return answer
        except UnreachableError as error:
            failure = error
    raise failure


def _outcome(
    state: Mapping[str, Any], before: Mapping[str, Any], number: int
) -> dict[str, Any] | None:
    """Return how a trial ended, from the new entries of the board's history."""
    if state.get("trial") is not None:
        return None
    known = before.get("history") or []
    events = list(state.get("history") or [])
    if known and known[-1] in events:
        events = events[events.index(known[-1]) + 1 :]
    for event in reversed(events):
        if event.get("release") == number and event.get("event") in _ENDS:
            status = state.get("status") or {}
            return {
                "release": number,
                "outcome": event["event"],
                "reason": event.get("reason", ""),
                "answers": status.get("answers"),
                "last": status.get("last"),
                "current": state.get("current"),
            }
    return None
