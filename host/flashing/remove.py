"""Removing edgeinfer from a board."""

from __future__ import annotations

from typing import Any

from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.board.checks import check_place, check_root
from edgeinfer.host.flashing.board.facts import BoardFacts
from edgeinfer.host.flashing.payload import make_agent
from edgeinfer.host.flashing.plan import read_state
from edgeinfer.host.flashing.progress import Steps, Tell
from edgeinfer.host.flashing.result import HostResult
from edgeinfer.host.flashing.upload import agent_python, put_agent


def remove(board: Board, tell: Tell, steps: Steps, *, keep_data: bool, dry_run: bool) -> HostResult:
    """Remove everything that `flash` put on a board.

    Args:
        board: the board.
        tell: shows progress to a person.
        steps: times and names the steps.
        keep_data: keep the loop's files, and the user that owns them.
        dry_run: only say what would be removed.

    Raises:
        UnreachableError: the connection failed; run it again to continue.
        RemoteError: it was refused or failed.
    """
    with steps.step("check", "checking the board"):
        facts = board.probe()
        tell.say("board", facts.title)
        if not facts.has_prefix:
            return HostResult(host=board.name, outcome="nothing there", board=facts.title)
        check_place(facts, board.name)
        check_root(facts, board)
        python = agent_python(board, facts)
        if python is None:
            raise RemoteError(
                board.name,
                got=f"has {board.prefix} but no Python that can remove it",
                expected="Python 3.10 or newer",
                next_step=f"remove that folder there by hand: sudo rm -r {board.prefix}",
            )
        agent = make_agent()
        state = read_state(board, python, facts, ours=agent.sha256)
    if dry_run:
        return HostResult(
            host=board.name,
            outcome="planned",
            board=facts.title,
            current=state["current"],
            seconds=steps.seconds,
            steps=_planned(board, facts, state, keep_data=keep_data),
        )
    if not state.get("agent"):
        # There is none, as after an interrupted removal, or it is damaged.
        with steps.step("send", "sending the agent"):
            put_agent(board, agent.content, agent.sha256)
    with steps.step("remove", "removing"):
        words = ("remove", "--keep-data") if keep_data else ("remove",)
        removed = board.agent(python, *words).get("removed")
    return HostResult(
        host=board.name,
        outcome="removed",
        board=facts.title,
        previous=state["current"],
        seconds=steps.seconds,
        steps=tuple(map(str, removed if isinstance(removed, list) else ())),
    )


def _planned(
    board: Board, facts: BoardFacts, state: dict[str, Any], *, keep_data: bool
) -> tuple[str, ...]:
    """Return what would be removed, for people."""
    lines = []
    if state["current"] is not None:
        lines.append(f"stop edgeinfer.service, which runs release {state['current']}")
    if state.get("set_up"):
        lines.append(
            "remove the units edgeinfer.service, edgeinfer-settle.service, edgeinfer-trial.service"
        )
    what = f"{board.prefix} with {len(state['releases'])} releases"
    if keep_data:
        lines.append(f"remove {what}, but not {board.prefix}/data and the user edgeinfer")
    else:
        lines.append(f"remove {what}, and what the loop wrote in {board.prefix}/data")
        lines.append("remove the user edgeinfer, if it was made by flash")
    return tuple(lines)
