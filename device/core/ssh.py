"""Commands on another machine through the user's own OpenSSH.

Nothing of SSH is done here: the program `ssh` on the path connects, with the user's configuration,
agent and known hosts. It runs in batch mode, so that a question ends in an error, not in waiting.
The host's key is always checked: options that turn the check off are refused, and what the user's
configuration says of it is overruled. Options that run a program here (ProxyCommand, LocalCommand,
KnownHostsCommand and similar) are passed on: who gives them could run that program anyway.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

from edgeinfer.device.core.errors import RemoteError, UnreachableError, UsageError, printable

CONNECT_TIMEOUT_S = 15
"""How long a connection may take, unless an `--ssh-option ConnectTimeout=...` says otherwise."""

SSH_FAILED = 255
"""With which `ssh` ends when the connection, not the remote command, failed."""

NO_REASON = "it gave no reason"
"""What is reported of a command that failed without a message."""

NOT_FOUND = 127
"""With which a shell ends when there is no such program."""

_OPTION = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.*)", re.DOTALL)

_ADVICE: tuple[tuple[str, str, str], ...] = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one that is known",
        "if it was installed again, remove the old key with `ssh-keygen -R`; "
        "otherwise another machine may be answering in its name",
    ),
    (
        "Host key verification failed",
        "its host key is not known here",
        "connect once with `ssh` and compare the key that it shows",
    ),
    (
        "Permission denied",
        "it refuses the login (permission denied)",
        "install your key there with `ssh-copy-id`, load it with `ssh-add`, or name it with "
        "--ssh-option IdentityFile=...",
    ),
    ("Could not resolve hostname", "its name is not known", "check it, or use its address"),
    ("Connection refused", "it refuses connections", "check that an SSH server runs there"),
    ("timed out", "it does not answer", "check that it is switched on and connected"),
    ("No route to host", "there is no route to it", "check the network"),
    ("Network is unreachable", "there is no route to it", "check the network"),
)
"""What `ssh` says on stderr, what that means, what to do: the first that fits."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a remote command gave."""

    code: int
    stdout: str
    stderr: str

    def last_line(self) -> str:
        """Return the words that report an error: its `error:` line, else its last line."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        marked = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return (marked or lines or [NO_REASON])[-1]


class SshHost:
    """A machine that `ssh` reaches.

    Args:
        name: as `ssh` takes it: `user@board`, or a name from its configuration.
        options: for `ssh -o`: `Port=2222`, ...

    Raises:
        UsageError: the name or an option makes no sense, or an option turns the check of the
            host's key off.
        RemoteError: there is no `ssh` here.

    Attributes:
        name: as given.
    """

    def __init__(self, name: str, options: Sequence[str] = ()) -> None:
        if (
            not name
            or name.startswith("-")
            or any(c.isspace() or not c.isprintable() for c in name)
        ):
            raise UsageError("--host", got=f"{name!r} is not a host", expected="user@board")
        for option in options:
            check_option(option)
        program = shutil.which("ssh")
        if program is None:
            raise RemoteError(
                name,
                got="cannot be reached: there is no program `ssh` on the path",
                next_step="install OpenSSH's client (on Debian: apt install openssh-client)",
            )
        self.name = name
        self._program = program
        self._options = tuple(options)

    def _command(self, *, batch: bool = True) -> list[str]:
        """Return the program and its options.

        ssh takes the first value that it is given. Keep-alive ends what a broken network hangs.
        """
        words = [
            *(["BatchMode=yes"] if batch else []),
            *self._options,
            "StrictHostKeyChecking=ask",
            f"ConnectTimeout={CONNECT_TIMEOUT_S}",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
        ]
        return [self._program, "-T", *(part for word in words for part in ("-o", word))]

    def start(
        self,
        script: str,
        *,
        input_file: Path | None = None,
        fed: bool = False,
        shielded: bool = False,
    ) -> subprocess.Popen[str]:
        """Start a command there.

        Args:
            script: for the POSIX shell, each word quoted by the caller; the user's login shell
                may be any.
            input_file: what it reads; nothing where None.
            fed: it reads what the caller writes into the process's `stdin`.
            shielded: the terminal's Ctrl-C does not reach it.
        """
        command = [*self._command(), "--", self.name, f"sh -c {shlex.quote(script)}"]
        with open(input_file or "/dev/null", "rb") as stdin:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE if fed else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=shielded,
            )

    def run(
        self,
        script: str,
        *,
        input_file: Path | None = None,
        chunks: Iterable[bytes] | None = None,
        shielded: bool = False,
    ) -> Answer:
        """Run a command there and wait for it.

        Args: as for `start`, and
            chunks: what it reads, instead of a file. Those that it does not wait for are left.

        Raises:
            UnreachableError: the connection failed. That the command failed is in the answer.
        """
        process = self.start(
            script, input_file=input_file, fed=chunks is not None, shielded=shielded
        )
        try:
            if chunks is None:
                stdout, stderr = process.communicate()
            else:
                stdout, stderr = _feed(process, chunks)
        except BaseException:
            process.terminate()
            process.communicate()
            raise
        return self.check(process, stdout, stderr)

    def check(self, process: subprocess.Popen[str], stdout: str, stderr: str) -> Answer:
        """Return the answer of a command that has ended.

        Raises:
            UnreachableError: the connection failed.
        """
        answer = Answer(code=process.returncode, stdout=stdout, stderr=stderr)
        if answer.code == SSH_FAILED:
            raise connection_error(self.name, answer)
        return answer


def check_option(option: str) -> None:
    """Refuse what is not an option of `ssh -o`, or turns the check of the host's key off.

    Raises:
        UsageError: it is refused.
    """
    found = _OPTION.fullmatch(option)
    if found is None or not option.isprintable():
        raise UsageError(
            "--ssh-option", got=f"{option!r} is not an option", expected="such as Port=2222"
        )
    if _turns_the_check_off(found[1].lower(), found[2]):
        raise UsageError(
            "--ssh-option",
            got=f"{option!r} turns the check of the host's key off",
            expected="a board whose key is known",
            next_step="connect once with `ssh` and compare the key that it shows",
        )


def _turns_the_check_off(keyword: str, value: str) -> bool:
    """Tell whether an option leaves a host's key unchecked; what is not understood does."""
    try:
        words = shlex.split(value, comments=True)
    except ValueError:
        words = []
    if keyword == "stricthostkeychecking":
        return [word.lower() for word in words] not in (["yes"], ["true"], ["ask"])
    if keyword in ("userknownhostsfile", "globalknownhostsfile"):
        return not words or any(_keeps_no_keys(word) for word in words)
    if keyword == "nohostauthenticationforlocalhost":
        return [word.lower() for word in words] not in (["no"], ["false"])
    return False


def _keeps_no_keys(file: str) -> bool:
    """Tell whether a list of known hosts can hold none: `none`, /dev/null by any of its names."""
    path = os.path.realpath(os.path.expanduser(os.path.expandvars(file)))
    if file.lower() == "none" or path.startswith(("/dev/", "/proc/")):
        return True
    return os.path.exists(path) and not os.path.isfile(path)


def remote_word(text: str) -> str:
    """Return a word for a remote shell, quoted; a leading `~/` stays the remote user's home."""
    if text.startswith("~/"):
        return '"$HOME"/' + shlex.quote(text[2:])
    return shlex.quote(text)


def connection_error(name: str, answer: Answer) -> UnreachableError:
    """Return what `ssh` said when it could not connect, or lost the connection, as a sentence."""
    for sign, got, next_step in _ADVICE:
        if sign in answer.stderr:
            return _unreachable(name, f"cannot be reached: {got}", next_step, got)
    words = answer.last_line()
    reason = "" if words == NO_REASON else words
    next_step = "try `ssh` by itself; what it needs, --ssh-option passes on"
    return _unreachable(name, f"cannot be reached ({words})", next_step, reason)


def _unreachable(name: str, got: str, next_step: str, reason: str) -> UnreachableError:
    error = UnreachableError(name, got=got, next_step=next_step)
    error.reason = printable(reason)
    return error


def _feed(process: subprocess.Popen[str], chunks: Iterable[bytes]) -> tuple[str, str]:
    """Write to a process and read what it says, side by side, until it has ended."""
    stream = cast(BinaryIO, cast(TextIOWrapper, process.stdin).detach())
    process.stdin = None  # `communicate` only reads
    failures: list[BaseException] = []

    def write() -> None:
        try:
            # One that has ended early says why on its own; the rest is not missed.
            with suppress(BrokenPipeError), stream:
                for chunk in chunks:
                    stream.write(chunk)
                    stream.flush()
        except BaseException as error:
            failures.append(error)
            process.terminate()

    writer = threading.Thread(target=write, name="ssh-stdin", daemon=True)
    writer.start()
    stdout, stderr = process.communicate()
    writer.join()
    if failures:
        raise failures[0]
    return stdout, stderr
