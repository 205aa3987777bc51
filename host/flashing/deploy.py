"""Bringing a release to one board: look, check, send what is missing, install, try."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from edgeinfer.device.errors import RemoteError
from edgeinfer.host.board_wheels import board_wheels
from edgeinfer.host.flashing.board import Board, file_chunks
from edgeinfer.host.flashing.checks import (
    check_board,
    check_camera,
    check_space,
    clock_note,
    parse_cameras,
)
from edgeinfer.host.flashing.facts import BoardFacts
from edgeinfer.host.flashing.order import VERIFY_TIMEOUT_S, Order
from edgeinfer.host.flashing.payload import Blob, Payload
from edgeinfer.host.flashing.plan import Plan, make_plan, read_state
from edgeinfer.host.flashing.result import HostResult
from edgeinfer.host.flashing.system import BoardSystem, choose_system
from edgeinfer.host.flashing.telling import Steps, Tell, bar
from edgeinfer.host.flashing.trial import try_release

CAMERA_PROBE = Path(__file__).resolve().parent / "camera_probe.py"

_RESUME = "what runs there is as it was; run it again, what has arrived is kept"

# The old agent is whole until the new one is, and on the disk. $1: prefix, $2: SHA-256.
_PUT_AGENT = """\
set -e
umask 022
mkdir -p "$1"
cat > "$1/.releases.pyz.new"
printf '%s  %s\\n' "$2" "$1/.releases.pyz.new" | sha256sum -c - >/dev/null
sync
mv -f "$1/.releases.pyz.new" "$1/releases.pyz"
sync
"""


class Deployment:
    """The work on one board.

    Args:
        board: the board.
        order: what it gets.
        tell: takes what a person sees.
        may_ask: a password for `sudo` is at hand.
    """

    def __init__(self, board: Board, order: Order, tell: Tell, *, may_ask: bool) -> None:
        self._board = board
        self._order = order
        self._tell = tell
        self._may_ask = may_ask
        self._steps = Steps(board.name, tell, resume=_RESUME)

    def run(self) -> HostResult:
        """Do all of it.

        Raises:
            EdgeinferError: it is refused or failed; what ran there runs on.
        """
        facts, notes = self._look()
        system = choose_system(
            facts,
            self._order.profile,
            self._board.name,
            named=bool(self._order.device_tree),
            picamera=self._order.options.camera.startswith("picamera"),
        )
        payload = self._collect(system)
        with self._steps.step("check", "comparing with what is there"):
            # Another agent than this one is replaced first, but asked before.
            state = read_state(self._board, system.python, facts)
        plan = make_plan(self._board.name, self._order, payload, facts, state)
        check_space(
            facts,
            self._board.name,
            files=plan.sent_bytes,
            wheels=sum(blob.size for blob in plan.missing if blob is not payload.bundle),
        )
        if self._order.dry_run:
            return self._planned(plan, facts, notes)
        self._send(plan, system)
        number = self._install(payload, system)
        outcome = self._try(number, system, state)
        return self._result(plan, facts, notes, number, outcome)

    def _look(self) -> tuple[BoardFacts, tuple[str, ...]]:
        """Ask the board what it is and refuse what cannot go well; nothing is changed."""
        name = self._board.name
        with self._steps.step("check", "looking at the board"):
            facts = self._board.probe()
            now_s = time.time()
            self._tell.say(facts.title)
            check_board(
                facts,
                self._order.profile,
                name,
                device_tree=self._order.device_tree,
                now_s=now_s,
                may_ask=self._may_ask,
            )
            if facts.sudo == "password" and not self._board.check_password():
                raise RemoteError(
                    name,
                    got="sudo does not take the password",
                    expected="that of the user who logs in there",
                )
            notes = [clock_note(facts, now_s)]
            notes.append(self._look_at_camera(facts))
        for note in filter(None, notes):
            self._tell.say(f"note: {note}")
        return facts, tuple(filter(None, notes))

    def _look_at_camera(self, facts: BoardFacts) -> str:
        options = self._order.options
        if options.v4l2_node is None:
            return ""
        source = CAMERA_PROBE.read_text(encoding="utf-8")
        answer = self._board.as_root([facts.python, "-I", "-c", source])
        cameras = parse_cameras(self._board.name, answer.stdout)
        camera = check_camera(cameras, options, self._board.name)
        free = f"{facts.free_bytes / 1e9:,.1f} GB free"
        self._tell.say(f"checked: {free}{f', camera {camera.node}' if camera else ''}")
        return ""

    def _collect(self, system: BoardSystem) -> Payload:
        """Find everything that goes there."""
        begin = time.monotonic()
        self._tell.show(f"finding packages for {system.target.title}")
        wheels = board_wheels(system.target, given=self._order.wheels, tell=self._tell.show)
        self._steps.seconds["collect"] = time.monotonic() - begin
        return Payload(
            bundle=self._order.bundle,
            wheels=wheels,
            python=system.python,
            system_site_packages=system.system_site_packages,
            run=self._order.options.words,
            verify_timeout_s=VERIFY_TIMEOUT_S,
        )

    def _send(self, plan: Plan, system: BoardSystem) -> None:
        """Send the agent and the files that the board lacks, and let the agent set up."""
        total, done = plan.sent_bytes, 0
        if plan.agent is not None:
            with self._steps.step("send", "sending the agent"):
                self._put_agent(plan.agent.content, plan.agent.sha256)
            done += len(plan.agent.content)
        with self._steps.step("set up", "setting up the service"):
            self._board.agent(system.python, "setup")
        for blob in plan.missing:
            with self._steps.step("send", f"sending {blob.name}"):
                self._send_blob(blob, system, done, total)
            done += blob.size
        if total:
            seconds = self._steps.seconds.get("send", 0.0)
            self._tell.say(f"sent:    {plan.sent_text()} in {seconds:.1f} s")

    def _put_agent(self, content: bytes, sha256: str) -> None:
        words = ["sh", "-c", _PUT_AGENT, "sh", str(self._board.prefix), sha256]
        answer = self._board.as_root(words, [content])
        if answer.code:
            raise RemoteError(
                self._board.name,
                got=f"the agent cannot be stored there ({answer.last_line()})",
                expected=f"a place at {self._board.agent_path}",
            )

    def _send_blob(self, blob: Blob, system: BoardSystem, before: int, total: int) -> None:
        def tell(sent: int) -> None:
            self._tell.show(f"sending  {bar(before + sent, total)}  {blob.name}")

        chunks = file_chunks(blob.path, tell)
        self._board.agent(system.python, "receive", blob.sha256, str(blob.size), chunks=chunks)

    def _install(self, payload: Payload, system: BoardSystem) -> int:
        """Let the agent make the release; nothing is switched."""
        spec = json.dumps(payload.spec()).encode()
        with self._steps.step("install", "installing (minutes on a slow card)"):
            answer = self._board.agent(system.python, "install", chunks=[spec])
        number = int(answer["release"])
        if answer.get("new"):
            seconds = self._steps.seconds["install"]
            self._tell.say(f"install: release {number} in {seconds:.1f} s")
        else:
            self._tell.say(f"install: release {number} is there already")
        return number

    def _try(self, number: int, system: BoardSystem, state: dict[str, Any]) -> dict[str, Any]:
        order = self._order
        doing = f"trying release {number}: verify, then {order.trial_frames} live answers"
        with self._steps.step("try", doing):
            return try_release(
                self._board,
                system.python,
                number,
                frames=order.trial_frames,
                trial_s=order.trial_s,
                before=state,
                tell=self._tell,
            )

    def _planned(self, plan: Plan, facts: BoardFacts, notes: tuple[str, ...]) -> HostResult:
        return HostResult(
            host=self._board.name,
            outcome="planned",
            board=facts.title,
            previous=plan.current,
            sent_bytes=plan.sent_bytes,
            sent_files=plan.sent_files,
            seconds=self._steps.seconds,
            steps=plan.lines(self._order),
            notes=notes,
        )

    def _result(
        self,
        plan: Plan,
        facts: BoardFacts,
        notes: tuple[str, ...],
        number: int,
        outcome: dict[str, Any],
    ) -> HostResult:
        said = str(outcome.get("outcome"))
        last = outcome.get("last")
        answers = outcome.get("answers")
        return HostResult(
            host=self._board.name,
            outcome="confirmed"
            if said == "confirmed"
            else "unchanged"
            if said == "already current and healthy"
            else "rolled back",
            board=facts.title,
            release=number,
            previous=plan.current if plan.current != number else plan.previous,
            sent_bytes=plan.sent_bytes,
            sent_files=plan.sent_files,
            answers=answers if isinstance(answers, int) else None,
            last=last if isinstance(last, dict) else None,
            reason=str(outcome.get("reason") or ""),
            seconds=self._steps.seconds,
            notes=notes,
        )
