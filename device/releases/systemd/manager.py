"""The service manager: systemd, through its own commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.core.processes import Finished, run_to_end
from edgeinfer.device.releases.untrusted_json import parse_json

_ANSWER_S = 90.0
_LINES = 3
"""This many lines of the journal are shown as the reason."""
_LINE_CHARACTERS = 300


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """What the service manager knows of a unit.

    Attributes:
        active: `active`, `activating`, `inactive`, `failed` and others of systemd(1).
        sub: more closely, `running` or `auto-restart` for example.
        pid: of the main process; 0 without one.
        restarts: how often it was restarted by itself.
        invocation: another one with each start; empty before the first.
        result: how the last run ended, `success`, `exit-code`, `signal`, `watchdog` and others.
        exit_code: of the last run's main process, or the signal's number.
    """

    active: str = "inactive"
    sub: str = "dead"
    pid: int = 0
    restarts: int = 0
    invocation: str = ""
    result: str = "success"
    exit_code: int = 0


class ServiceManager(Protocol):
    """What the agent needs of a service manager."""

    def show(self, unit: str) -> ServiceState:
        """Return a unit's state."""
        ...

    def start(self, unit: str) -> None:
        """Begin to start a unit; one that runs or starts is left as it is."""
        ...

    def restart(self, unit: str) -> None:
        """Begin to end a unit and to start it again."""
        ...

    def stop(self, unit: str) -> None:
        """End a unit, and wait until it has ended."""
        ...

    def last_words(self, invocation: str) -> str:
        """Return the last warnings and errors that a run of a service logged, on one line."""
        ...


class Systemd(ServiceManager):
    """systemd, through `systemctl` and `journalctl`."""

    _PROPERTIES = "ActiveState,SubState,MainPID,NRestarts,InvocationID,Result,ExecMainStatus"

    def show(self, unit: str) -> ServiceState:
        """Return a unit's state; one that is unknown is inactive.

        Raises:
            ReleaseError: systemd does not answer.
        """
        text = self.run("show", f"--property={self._PROPERTIES}", unit)
        properties = dict(line.partition("=")[::2] for line in text.splitlines())
        return ServiceState(
            active=properties.get("ActiveState", "inactive"),
            sub=properties.get("SubState", "dead"),
            pid=_number(properties.get("MainPID")),
            restarts=_number(properties.get("NRestarts")),
            invocation=properties.get("InvocationID", ""),
            result=properties.get("Result", ""),
            exit_code=_number(properties.get("ExecMainStatus")),
        )

    def start(self, unit: str) -> None:
        """Begin to start a unit.

        Raises:
            ReleaseError: systemd refuses or does not answer.
        """
        self.run("start", "--no-block", unit)

    def restart(self, unit: str) -> None:
        """Begin to restart a unit.

        Raises:
            ReleaseError: systemd refuses or does not answer.
        """
        self.run("restart", "--no-block", unit)

    def stop(self, unit: str) -> None:
        """End a unit.

        Raises:
            ReleaseError: systemd refuses or does not answer.
        """
        self.run("stop", unit)

    def last_words(self, invocation: str) -> str:
        """Return the last warnings and errors, or the last lines; empty without a journal."""
        if not invocation:
            return ""
        command = ["journalctl", "--quiet", "--output=cat", f"--lines={_LINES}"]
        match = f"_SYSTEMD_INVOCATION_ID={invocation}"
        for level in (["--priority=warning"], []):
            done = _call([*command, *level, match])
            lines = [_message(line) for line in done.stdout.splitlines() if line.strip()]
            if lines:
                return "; ".join(lines)
        return ""

    def run(self, *arguments: str) -> str:
        """Run systemctl and return what it prints.

        Raises:
            ReleaseError: it fails or does not answer.
        """
        done = _call(["systemctl", *arguments])
        if done.end.code != 0:
            said = done.stderr.strip().splitlines()
            raise ReleaseError(
                f"systemctl {' '.join(arguments)}", got=said[0] if said else done.end.text
            )
        return done.stdout


def _call(command: Sequence[str]) -> Finished:
    try:
        return run_to_end(command, limit_s=_ANSWER_S)
    except OSError as error:
        raise ReleaseError(
            command[0], got=f"does not run ({error})", next_step="is this a system with systemd?"
        ) from error


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


def _message(line: str) -> str:
    """Return a line of the loop's log without the fields behind it."""
    text, brace, fields = line.partition(" {")
    if brace:
        try:
            parse_json("{" + fields)
        except ValueError:
            text = line
    return text[:_LINE_CHARACTERS]
