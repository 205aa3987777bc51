"""The steps for a board: its state compared with the wanted release."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from edgeinfer.device.core.camera_url import take_camera, without_secrets
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.flashing.board.board import Board, NoAnswerError
from edgeinfer.host.flashing.board.facts import BoardFacts
from edgeinfer.host.flashing.bundled_python import SHORT, CarriedPython
from edgeinfer.host.flashing.payload import Agent, Blob, Payload
from edgeinfer.host.flashing.progress import size_text
from edgeinfer.host.flashing.request import Order
from edgeinfer.host.flashing.upload import agent_python

STATE_SCHEMA = 1

_NOTHING: dict[str, Any] = {
    "schema": STATE_SCHEMA,
    "current": None,
    "previous": None,
    "trial": None,
    "releases": {},
    "store": {},
    "history": [],
}
"""The state of a board without edgeinfer."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps to do.

    Attributes:
        agent: the agent to send; None if the board has it.
        python: the Python to send; None if the board has it, or its system's is used.
        missing: the files to send.
        release: the number of the release, if the board already has it.
        current: the release that runs there.
        previous: the one before it.
        set_up: whether the service is already set up there.
        packages: how many packages the release has.
    """

    agent: Agent | None
    python: CarriedPython | None
    missing: tuple[Blob, ...]
    release: int | None
    current: int | None
    previous: int | None
    set_up: bool
    packages: int

    @property
    def sent_bytes(self) -> int:
        """How many bytes to send."""
        agent = 0 if self.agent is None else len(self.agent.content)
        python = 0 if self.python is None else self.python.size
        return agent + python + sum(blob.size for blob in self.missing)

    @property
    def sent_files(self) -> int:
        """How many files to send."""
        return len(self.missing) + (self.agent is not None) + (self.python is not None)

    def sent_text(self) -> str:
        """Return what to send, for people."""
        return f"{self.sent_files} file{'s' * (self.sent_files != 1)}, {size_text(self.sent_bytes)}"

    def lines(self, order: Order, prefix: PurePosixPath) -> tuple[str, ...]:
        """Return each step for people; `prefix` is edgeinfer's folder there."""
        lines = []
        if self.python is not None:
            size = size_text(self.python.size)
            lines.append(f"send Python {self.python.version} to {prefix}/python, {size}")
        if self.agent is not None:
            size = size_text(len(self.agent.content))
            lines.append(f"send the agent to {prefix}/releases.pyz, {size}")
        if not self.set_up:
            lines.append(
                f"set up the user edgeinfer, {prefix} and the units edgeinfer.service, "
                "edgeinfer-settle.service, edgeinfer-trial.service"
            )
        lines += [f"send {blob.name}, {size_text(blob.size)}" for blob in self.missing]
        if self.release is None:
            lines.append(
                f"install {order.bundle.name} with {self.packages} packages as a new release"
            )
        elif self.release == self.current:
            lines.append(f"release {self.release} already runs there: nothing is restarted")
            return tuple(lines)
        else:
            lines.append(f"release {self.release} is already there")
        back = "nothing" if self.current is None else f"release {self.current}"
        lines.append(
            f"try it: verify, switch, {order.trial_frames} answers within {order.trial_s:g} s; "
            f"else back to {back}"
        )
        return tuple(lines)


def read_state(board: Board, python: str, facts: BoardFacts, *, ours: str) -> dict[str, Any]:
    """Return the board's state from its agent; without an agent, an empty state.

    Args:
        board: the board.
        python: the interpreter that the release is for; maybe it must be sent first.
        facts: the board's facts.
        ours: the SHA-256 of this installation's agent.

    Raises:
        RemoteError: the agent there is newer, or does not answer.
    """
    runs = agent_python(board, facts, python)
    if not facts.agent_sha256 or runs is None:
        return dict(_NOTHING)
    try:
        state = board.settled_state(runs)
    except NoAnswerError:
        if facts.agent_sha256 == ours:
            raise
        return dict(_NOTHING)  # a damaged one is replaced, and all files are sent again
    if state.get("schema") != STATE_SCHEMA:
        raise RemoteError(
            board.name,
            got=f"its state has schema {state.get('schema')}",
            expected=str(STATE_SCHEMA),
            next_step="update edgeinfer here",
        )
    return {**_NOTHING, **state}


def make_plan(
    order: Order,
    payload: Payload,
    facts: BoardFacts,
    state: dict[str, Any],
    python: CarriedPython | None,
) -> Plan:
    """Compare what a board has with what it needs.

    Args:
        order: what the user wants.
        payload: its parts for this board.
        facts: the board's facts.
        state: its agent's state.
        python: the Python to send; None if the system's is used.
    """
    known = facts.agent_sha256 == order.agent.sha256
    missing = payload.missing(state["store"])
    same = None
    if not missing and known:
        same = _same_release(payload, state)
    return Plan(
        agent=None if known else order.agent,
        python=None if python is None or python.sha256[:SHORT] in facts.pythons else python,
        missing=missing,
        release=same,
        current=state["current"],
        previous=state["previous"],
        set_up=bool(state.get("set_up", state["releases"])),
        packages=len(payload.wheels.wheels),
    )


def find_release(board: Board, payload: Payload, plan: Plan) -> Plan:
    """Return the plan with the certain release: secrets of a release are compared on the board.

    Raises:
        UnreachableError: the connection failed.
        RemoteError: the agent refused.
    """
    if plan.release is None or not take_camera(payload.run)[1]:
        return plan
    spec = json.dumps(payload.spec()).encode()
    number = board.agent(payload.python, "find", chunks=lambda: [spec]).get("release")
    return replace(plan, release=number if isinstance(number, int) else None)


def _same_release(payload: Payload, state: dict[str, Any]) -> int | None:
    """Return the number of an equal release there; the newest of several.

    For a camera with a secret, the board reports only the public part.
    """
    run, camera_url = take_camera(payload.run)
    camera = without_secrets(camera_url)
    for number in sorted(map(int, state["releases"]), reverse=True):
        release = state["releases"][str(number)]
        same = release["run"] == list(run) and release.get("camera", "") == camera
        if release["bundle"] == payload.bundle.sha256 and same:
            return number
    return None
