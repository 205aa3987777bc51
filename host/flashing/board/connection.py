"""One SSH connection to a board that all steps share, so that one login is enough."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.ssh import Answer, SshHost, connection_error

_IDLE_S = 900
"""After this long without a command the connection ends itself, if this program was killed."""

_CLOSING_S = 10
_LONGEST_FOLDER = 60
"""Characters; the path of a Unix socket holds 107 bytes, and ssh appends some more."""

_asking = threading.Lock()
"""Only one connection at a time asks the person at the terminal."""


class SharedConnection(SshHost):
    """A connection that OpenSSH keeps open in the background (its `ControlMaster`).

    A command that finds it closed makes its own connection, as `ssh` does.

    Args: as for `SshHost`, and
        ask: let `ssh` ask the person at the terminal for a password or about an unknown key;
            else a question is an error.
    """

    def __init__(self, name: str, options: Sequence[str] = (), *, ask: bool = False) -> None:
        super().__init__(name, options)
        self._ask = ask
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._cut = False

    def open(self) -> None:
        """Connect.

        Raises:
            UnreachableError: that fails.
            CancelledError: the connection was cut.
        """
        self._folder = _private_folder()
        try:
            self._open()
        except BaseException:
            self._remove_folder()
            raise

    def close(self) -> None:
        """End the connection; raises nothing."""
        if self._folder is None:
            return
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                [*self._command(), "-O", "exit", "--", self.name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_CLOSING_S,
                check=False,
            )
        self._remove_folder()

    def cut(self) -> None:
        """End all commands over the connection and refuse new ones; may be called from any thread.

        Threads that use it get `concurrent.futures.CancelledError`.
        """
        with self._lock:
            self._cut = True
            for process in self._running:
                process.terminate()

    def start(
        self,
        script: str,
        *,
        input_file: Path | None = None,
        fed: bool = False,
        shielded: bool = True,
    ) -> subprocess.Popen[str]:
        """Start a command there that the terminal's Ctrl-C does not reach; `cut` ends it."""
        with self._lock:
            self._refuse_if_cut()
            process = super().start(script, input_file=input_file, fed=fed, shielded=True)
            self._running.add(process)
            return process

    def check(self, process: subprocess.Popen[str], stdout: str, stderr: str) -> Answer:
        """Return the answer of a command that has ended; see `SshHost.check`."""
        with self._lock:
            self._running.discard(process)
            self._refuse_if_cut()
        return super().check(process, stdout, stderr)

    def _refuse_if_cut(self) -> None:
        # Not an error of the board: nobody tries again.
        if self._cut:
            raise CancelledError

    def _open(self) -> None:
        """Start the connection: `ssh` goes into the background once the login is done."""
        command = [
            *self._command(batch=not self._ask),
            *("-M", "-N", "-f"),
            *("-o", f"ControlPersist={_IDLE_S}"),
            *("--", self.name),
        ]
        with _asking:
            # A program that asks questions at the terminal must stay in the foreground.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=not self._ask,
            )
            with self._lock:
                self._running.add(process)
            _, stderr = process.communicate()
        with self._lock:
            self._running.discard(process)
            self._refuse_if_cut()
        if process.returncode:
            raise connection_error(
                self.name, Answer(code=process.returncode, stdout="", stderr=stderr)
            )

    def _command(self, *, batch: bool = True) -> list[str]:
        # First, since ssh uses the first value: the user's configuration may have another.
        program, *rest = super()._command(batch=batch)
        if self._folder is None:
            return [program, *rest]
        return [program, "-S", f"{self._folder}/s".replace("%", "%%"), *rest]

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None


def _private_folder() -> Path:
    """Make a folder with a short name that only this user can open."""
    for place in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):
        if place and len(place) < _LONGEST_FOLDER and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="edgeinfer-", dir=place))
    return Path(tempfile.mkdtemp(prefix="edgeinfer-"))
