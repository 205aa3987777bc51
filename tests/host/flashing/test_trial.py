"""What is asked of a board whose connection was lost in a trial."""

from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.device.core.errors import RemoteError, UnreachableError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.host.flashing.board.board import Board, Chunks
from edgeinfer.host.flashing.trial import try_release

LOST = UnreachableError("cam", got="cannot be reached")
BEFORE = {"current": 1, "history": [{"event": "confirmed", "release": 1, "time": "a"}]}


class Scripted(Board):
    """A board whose agent answers as written down, one answer after another."""

    def __init__(self, *answers: dict[str, Any] | RemoteError) -> None:
        super().__init__(SshHost("cam"))
        self.answers = list(answers)
        self.asked: list[str] = []

    def agent(self, python: str, *words: str, chunks: Chunks | None = None) -> dict[str, Any]:
        self.asked.append(words[0])
        answer = self.answers.pop(0)
        if isinstance(answer, RemoteError):
            raise answer
        return answer


class Quiet:
    """Takes what is reported."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, name: str, text: str) -> None:
        self.said.append(text)

    def show(self, text: str) -> None:
        pass


def ask(board: Board, *, patience_s: float = 5.0) -> dict[str, Any]:
    return try_release(
        board,
        "python3",
        2,
        frames=30,
        trial_s=0.0,
        before=BEFORE,
        tell=Quiet(),
        again_s=0.0,
        patience_s=patience_s,
    )


def state(*events: dict[str, Any], trial: bool = False) -> dict[str, Any]:
    return {
        "trial": {"release": 2} if trial else None,
        "history": [*BEFORE["history"], *events],  # type: ignore[misc]
        "status": {"answers": 31, "last": {"label": "dog"}},
        "current": 2,
    }


def test_the_answer_of_a_trial_is_its_outcome() -> None:
    board = Scripted({"outcome": "confirmed"})
    assert ask(board) == {"outcome": "confirmed"}
    assert board.asked == ["try"]


@pytest.mark.parametrize("event", ["confirmed", "rolled back", "refused"])
def test_an_outcome_is_read_from_what_the_board_noted_since(event: str) -> None:
    noted = {"event": event, "release": 2, "reason": "it hangs", "time": "b"}
    board = Scripted(LOST, LOST, state({"event": "tried", "release": 2}, noted))
    outcome = ask(board)
    assert (outcome["outcome"], outcome["reason"]) == (event, "it hangs")
    assert (outcome["answers"], outcome["current"]) == (31, 2)
    assert board.asked == ["try", "state", "state"]


@pytest.mark.parametrize("trial", [True, False])
def test_a_trial_that_is_not_over_is_joined(trial: bool) -> None:
    board = Scripted(LOST, state(trial=trial), {"outcome": "rolled back"})
    assert ask(board)["outcome"] == "rolled back"
    assert board.asked == ["try", "state", "try"]


def test_one_that_ended_between_two_questions_is_confirmed() -> None:
    board = Scripted(LOST, state(trial=True), {"outcome": "already current and healthy"})
    assert ask(board)["outcome"] == "confirmed"


def test_a_board_that_does_not_come_back_is_given_up() -> None:
    with pytest.raises(UnreachableError):
        ask(Scripted(LOST), patience_s=-1.0)


def test_what_the_agent_refuses_is_reported_immediately() -> None:
    board = Scripted(LOST, RemoteError("cam: release 2", got="is not installed"))
    with pytest.raises(RemoteError, match="is not installed"):
        ask(board)
    assert board.asked == ["try", "state"]
