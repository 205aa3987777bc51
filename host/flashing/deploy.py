"""Bringing a release to one board: check it, send what is missing, install, try."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.board_wheels import board_wheels
from edgeinfer.host.board_wheels.sbom import release_sbom
from edgeinfer.host.flashing.board.board import Board, file_chunks
from edgeinfer.host.flashing.board.camera_check import check_camera, read_cameras
from edgeinfer.host.flashing.board.checks import (
    check_board,
    check_place,
    check_root,
    check_space,
    clock_note,
)
from edgeinfer.host.flashing.board.facts import BoardFacts
from edgeinfer.host.flashing.board.system import BoardSystem, choose_system
from edgeinfer.host.flashing.bundled_python import CarriedPython, carried_python
from edgeinfer.host.flashing.payload import Payload
from edgeinfer.host.flashing.plan import Plan, find_release, make_plan, read_state
from edgeinfer.host.flashing.progress import Steps, Tell, bar
from edgeinfer.host.flashing.request import VERIFY_TIMEOUT_S, Order
from edgeinfer.host.flashing.result import HostResult, Outcome
from edgeinfer.host.flashing.trial import try_release
from edgeinfer.host.flashing.upload import put_agent, put_python, put_sbom, python_folder

_OUTCOMES: dict[str, Outcome] = {
    "confirmed": "confirmed",
    "already current and healthy": "unchanged",
    "rolled back": "rolled back",
    "refused": "refused",
    "not healthy": "not healthy",
}
"""The agent's words for outcomes, and ours."""


class Deployment:
    """The work on one board.

    Args:
        board: the board.
        order: the release for it.
        tell: shows progress to a person.
        steps: times and names the steps.
    """

    def __init__(self, board: Board, order: Order, tell: Tell, steps: Steps) -> None:
        self._board = board
        self._order = order
        self._tell = tell
        self._steps = steps

    def run(self) -> HostResult:
        """Do all steps.

        Raises:
            EdgeinferError: it was refused or failed; what ran there keeps running.
        """
        facts, system, notes = self._look()
        payload, python = self._collect(system)
        with self._steps.step("check", "comparing it with what the board has"):
            ours = self._order.agent.sha256
            state = read_state(self._board, payload.python, facts, ours=ours)
            plan = make_plan(self._order, payload, facts, state, python)
            plan = find_release(self._board, payload, plan)
        check_space(
            facts,
            self._board.name,
            files=plan.sent_bytes,
            packed=sum(blob.size for blob in plan.missing if blob is not payload.bundle)
            + (0 if plan.python is None else plan.python.size),
        )
        if self._order.dry_run:
            return HostResult(
                host=self._board.name,
                outcome="planned",
                board=facts.title,
                previous=plan.current,
                sent_bytes=plan.sent_bytes,
                sent_files=plan.sent_files,
                seconds=self._steps.seconds,
                steps=plan.lines(self._order, self._board.prefix),
                notes=notes,
            )
        self._send(plan, payload)
        number = self._install(payload)
        outcome = self._try(number, payload, state)
        return self._result(plan, facts, notes, number, outcome)

    def _look(self) -> tuple[BoardFacts, BoardSystem, tuple[str, ...]]:
        """Ask the board for its facts and refuse what cannot work; nothing is changed."""
        name, order = self._board.name, self._order
        with self._steps.step("check", "checking the board"):
            facts = self._board.probe()
            now_s = time.time()
            self._tell.say("board", facts.title)
            check_board(facts, order.profile, name, device_tree=order.device_tree, now_s=now_s)
            system = choose_system(
                facts,
                order.profile,
                name,
                named=bool(order.device_tree),
                picamera=(order.options.camera or "").startswith("picamera"),
            )
            check_place(facts, name)
            check_root(facts, self._board)
            checked = [f"{facts.free_bytes / 1e9:,.1f} GB free"]
            if order.options.v4l2_node is not None:
                cameras = read_cameras(self._board, facts.python)
                camera = check_camera(cameras, order.options, name)
                if camera is not None:
                    checked.append(f"camera {camera.node} ({camera.name})")
            self._tell.say("checked", ", ".join(checked))
        note = clock_note(facts, now_s)
        if note:
            self._tell.say("note", note)
        return facts, system, (note,) if note else ()

    def _collect(self, system: BoardSystem) -> tuple[Payload, CarriedPython | None]:
        """Find everything to send."""
        with self._steps.timed("collect"):
            self._tell.show(f"finding packages for {system.target.title}")
            wheels = board_wheels(system.target, given=self._order.wheels, tell=self._tell.show)
            python, path = None, system.python
            if system.carried:
                self._tell.show(f"finding Python {system.carried} for {system.target.architecture}")
                python = carried_python(system.carried, system.target.architecture)
                folder = python_folder(self._board, python.sha256)
                path = str(folder / "bin" / f"python{system.carried}")
        payload = Payload(
            bundle=self._order.bundle,
            wheels=wheels,
            python=path,
            system_site_packages=system.system_site_packages,
            run=self._order.options.words,
            verify_timeout_s=VERIFY_TIMEOUT_S,
            sbom=release_sbom(
                system.target,
                wheels,
                name=self._order.bundle.name,
                bundle_sha256=self._order.bundle.sha256,
                python=None if python is None else (python.version, python.sha256),
            ),
        )
        return payload, python

    def _send(self, plan: Plan, payload: Payload) -> None:
        """Send the agent and the files that the board lacks; the agent sets up the service."""
        board, total, done = self._board, plan.sent_bytes, 0

        def shown(name: str, sent: int = 0) -> str:
            return f"sending {bar(done + sent, total)} {name}"

        def chunks(files: Iterable[tuple[Path, str]]) -> Iterator[bytes]:
            before = 0
            for path, name in files:
                for chunk in file_chunks(path):
                    yield chunk
                    before += len(chunk)
                    self._tell.show(shown(name, before))

        if plan.python is not None:
            name = f"Python {plan.python.version}"
            with self._steps.step("send", f"sending {name}", shown=shown(name)):
                put_python(board, plan.python, chunks([(plan.python.path, name)]))
            done += plan.python.size
        if plan.agent is not None:
            with self._steps.step("send", "sending the agent", shown=shown("agent")):
                put_agent(board, plan.agent.content, plan.agent.sha256)
            done += len(plan.agent.content)
        with self._steps.step("set up", "setting up the service"):
            board.agent(payload.python, "setup")
        if plan.missing:
            # One command for all files: on a slow board each command costs a connection and a
            # Python.
            words = [f"{blob.sha256}:{blob.size}" for blob in plan.missing]
            files = [(blob.path, blob.name) for blob in plan.missing]
            with self._steps.step("send", "sending files", shown=shown(files[0][1])):
                board.agent(payload.python, "receive", *words, chunks=lambda: chunks(files))
        if plan.sent_files:
            self._tell.say("sent", f"{plan.sent_text()} in {self._steps.seconds['send']:.1f} s")

    def _install(self, payload: Payload) -> int:
        """Let the agent make the release; the running release does not change."""
        spec = json.dumps(payload.spec()).encode()
        with self._steps.step("install", "installing (some minutes on a slow card)"):
            answer = self._board.agent(payload.python, "install", chunks=lambda: [spec])
        number = answer.get("release")
        if not isinstance(number, int):
            raise RemoteError(
                self._board.name, got=f"installed release {number!r}", expected="a number"
            )
        put_sbom(self._board, number, payload.sbom)
        if answer.get("new"):
            seconds = self._steps.seconds["install"]
            self._tell.say("installed", f"release {number} in {seconds:.1f} s")
        return number

    def _try(self, number: int, payload: Payload, state: dict[str, Any]) -> dict[str, Any]:
        order = self._order
        doing = f"trying release {number}: verifying, then {order.trial_frames} live answers"
        with self._steps.step("try", doing):
            return try_release(
                self._board,
                payload.python,
                number,
                frames=order.trial_frames,
                trial_s=order.trial_s,
                before=state,
                tell=self._tell,
            )

    def _result(
        self,
        plan: Plan,
        facts: BoardFacts,
        notes: tuple[str, ...],
        number: int,
        said: dict[str, Any],
    ) -> HostResult:
        outcome = _OUTCOMES.get(str(said.get("outcome")), "failed")
        last, answers, current = said.get("last"), said.get("answers"), said.get("current")
        return HostResult(
            host=self._board.name,
            outcome=outcome,
            board=facts.title,
            release=number,
            previous=plan.current if plan.current != number else plan.previous,
            current=current if isinstance(current, int) else None,
            sent_bytes=plan.sent_bytes,
            sent_files=plan.sent_files,
            answers=answers if isinstance(answers, int) else None,
            last=last if isinstance(last, dict) else None,
            reason=str(said.get("reason") or ""),
            seconds=self._steps.seconds,
            notes=notes,
        )
