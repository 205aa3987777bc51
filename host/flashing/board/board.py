"""A board at the other end of a connection: its root, and the agent that runs there."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from edgeinfer.device.core.errors import RemoteError, printable
from edgeinfer.device.core.ssh import Answer, SshHost
from edgeinfer.device.releases.lock import LockedError
from edgeinfer.device.releases.untrusted_json import parse_json
from edgeinfer.host.flashing.board.facts import PROBE, BoardFacts, parse_facts

PREFIX = PurePosixPath("/var/lib/edgeinfer")
"""Where all files of edgeinfer are on a board."""

_CHUNK_BYTES = 1 << 16
_BUSY_AGAIN_S = 2.0
_BUSY_S = 1800.0
"""How long to wait for another program there: work from a lost connection may still run."""

_BEGIN = "edgeinfer-begin"
_SKIP = 'while IFS= read -r line; do [ "$line" = "$1" ] && break; done; shift; exec "$@"'
"""Skips what `sudo` did not read: the password, if none was needed."""


Chunks = Callable[[], Iterable[bytes]]
"""Gives a command's input, again for each attempt."""


class NoAnswerError(RemoteError):
    """The program there does not answer as an agent does; another may."""


class Board:
    """A board that `flash` works on.

    Args:
        host: the way there.
        prefix: edgeinfer's folder there.
        agent_options: options of the agent, before its commands.
        password: for `sudo`; it is sent on stdin, and never an argument or printed.
        waiting: called with the reason for waiting.

    Attributes:
        name: the host's name.
        prefix: as given.
    """

    def __init__(
        self,
        host: SshHost,
        *,
        prefix: PurePosixPath = PREFIX,
        agent_options: Sequence[str] = (),
        password: str | None = None,
        waiting: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.name = host.name
        self._waiting = waiting
        self.prefix = prefix
        self._host = host
        elsewhere = () if prefix == PREFIX else ("--prefix", str(prefix))
        self._agent_options = (*elsewhere, *agent_options)
        self._password = password
        self._is_root = False

    @property
    def has_password(self) -> bool:
        """Whether there is a password for `sudo`."""
        return self._password is not None

    @property
    def agent_path(self) -> PurePosixPath:
        """Where the agent is."""
        return self.prefix / "releases.pyz"

    def probe(self) -> BoardFacts:
        """Ask what the board is; changes nothing.

        Raises:
            UnreachableError: the connection failed.
            RemoteError: it does not report its system.
        """
        script = PROBE.read_text(encoding="utf-8")
        answer = self._host.run(f"set -- {shlex.quote(str(self.prefix))}\n{script}")
        facts = parse_facts(self.name, answer.stdout)
        self._is_root = facts.sudo == "unneeded"
        return facts

    def check_password(self) -> bool:
        """Return whether `sudo` takes the password; it is asked once only."""
        answer = self._host.run(
            "sudo -k -S -p '' true", chunks=[f"{self._password or ''}\n".encode()]
        )
        return answer.code == 0

    def as_root(self, words: Sequence[str], chunks: Iterable[bytes] | None = None) -> Answer:
        """Run a command as root and wait for it.

        Args:
            words: the program and its arguments.
            chunks: what it reads.

        Raises:
            UnreachableError: the connection failed.
        """
        if self._is_root:
            return self._host.run(shlex.join(words), chunks=chunks)
        if self._password is None:
            return self._host.run(shlex.join(["sudo", "-n", "--", *words]), chunks=chunks)
        # -k: sudo would not read a password that it still remembers, and treat it as data.
        command = ["sudo", "-k", "-S", "-p", "", "--", "sh", "-c", _SKIP, "sh", _BEGIN, *words]
        begin = [f"{self._password}\n{_BEGIN}\n".encode()]
        return self._host.run(shlex.join(command), chunks=chain(begin, chunks or ()))

    def agent(self, python: str, *words: str, chunks: Chunks | None = None) -> dict[str, Any]:
        """Run a command of the agent and return its answer, when no other command is running there.

        Args:
            python: the interpreter there.
            words: the command and its arguments.
            chunks: what it reads.

        Raises:
            UnreachableError: the connection failed.
            RemoteError: the agent refused, with its reason, or there is none.
        """
        deadline_s = time.monotonic() + _BUSY_S
        while True:
            document = self._ask(python, *words, chunks=chunks)
            error = document.get("error")
            if error is None:
                return document
            if not _is_busy(error) or time.monotonic() > deadline_s:
                raise _refusal(self.name, error)
            self._waiting(f"waiting: {printable(str(error['subject']))} {error['got']}")
            time.sleep(_BUSY_AGAIN_S)

    def settled_state(self, python: str) -> dict[str, Any]:
        """Return the agent's state, when no release is on trial there.

        Raises:
            UnreachableError: the connection failed.
            RemoteError: a trial does not end, or the agent refused.
        """
        deadline_s = time.monotonic() + _BUSY_S
        while (trial := (state := self.agent(python, "state")).get("trial")) is not None:
            number = trial.get("release") if isinstance(trial, dict) else "?"
            if time.monotonic() > deadline_s:
                raise RemoteError(
                    self.name,
                    got=f"release {number} is on trial there",
                    expected="no other work there",
                    next_step="look at it there: systemctl status edgeinfer-trial.service",
                )
            self._waiting(f"waiting: release {number} is on trial there")
            time.sleep(_BUSY_AGAIN_S)
        return state

    def _ask(self, python: str, *words: str, chunks: Chunks | None) -> dict[str, Any]:
        """Run a command of the agent; return its answer, which may be an error."""
        command = [python, "-I", str(self.agent_path), *self._agent_options, *words]
        answer = self.as_root(command, None if chunks is None else chunks())
        document = _last_object(answer.stdout)
        # A failed trial has an outcome to report, and its own exit code.
        if document is None or (answer.code and not {"outcome", "error"} & document.keys()):
            raise NoAnswerError(
                self.name,
                got=f"`{words[0]}` failed there ({answer.last_line()})",
                expected="an answer from edgeinfer's agent",
                next_step="run it again; `edgeinfer unflash` clears the board",
            )
        return document


def file_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's content."""
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _last_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object of the last line that has one; other programs may print before it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                document = parse_json(line)
            except ValueError:
                continue
            return document if isinstance(document, dict) else None
    return None


def _is_busy(error: object) -> bool:
    """Return whether the agent only says that another program holds its lock."""
    return isinstance(error, dict) and error.get("code") == LockedError.kind


def _refusal(name: str, error: object) -> RemoteError:
    """Return the agent's error as a `RemoteError`, with any content."""
    fields = error if isinstance(error, dict) else {"got": str(error)}

    def text(key: str) -> str:
        return printable(str(fields.get(key) or ""))

    subject = f"{name}: {text('subject')}" if text("subject") else name
    return RemoteError(
        subject,
        got=text("got") or "failed there",
        expected=text("expected"),
        next_step=text("next_step"),
    )
