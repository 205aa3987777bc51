"""A real terminal for a program: what it writes there, and how wide its lines are."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.support.program import PROGRAM

_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs the program on a pseudo-terminal; its output is read as it comes.

    Args:
        arguments: the program's.
        columns: the terminal's width.
        cwd: the working folder.
        env: more variables than the present ones.
        command: what runs instead of the program.
    """

    def __init__(
        self,
        *arguments: object,
        columns: int = 80,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        command: tuple[str, ...] = tuple(PROGRAM),
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        terminal = {"TERM": "xterm", "COLUMNS": str(columns)}
        self._process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env={**os.environ, **terminal, **(env or {})},
            start_new_session=True,
            # So that a Ctrl-C that is typed there reaches it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._text = ""
        self._came = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # the program has ended
                data = b""
            with self._came:
                self._text += data.decode(errors="replace")
                self._ended = not data
                self._came.notify_all()
                if self._ended:
                    return

    def wait_for(self, text: str) -> None:
        """Wait until it has written a text; fail if it ends before."""
        with self._came:
            self._came.wait_for(lambda: text in self._text or self._ended, 300)
            assert text in self._text, self._text

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self._ours, keys.encode())

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, and gives it line by line, as usual."""
        flags = termios.tcgetattr(self._ours)[3]
        return bool(flags & termios.ECHO and flags & termios.ICANON)

    def signal(self, number: int) -> None:
        """Send the program a signal."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        os.write(self._ours, b"\x03")

    def end(self, *, keep: bool = False) -> int:
        """Wait for its end and return the exit code.

        Args:
            keep: keep the terminal, to look at its state; `close` ends it.
        """
        code = self._process.wait(300)
        self._reader.join(300)
        if not keep:
            self.close()
        return code

    def close(self) -> None:
        """Close the terminal."""
        os.close(self._ours)

    @property
    def raw(self) -> str:
        """All that was written, with the codes that move the cursor."""
        return self._text

    @property
    def lines(self) -> list[str]:
        """What stays in sight, line by line, without those that were written over."""
        shown = _MOVES.sub("", self._text.replace("\x1b[K", "\0").replace("\x1b[2K", "\0"))
        lines = shown.replace("\r\n", "\n").split("\n")
        return [re.split(r"[\r\0]", line.rstrip("\r\0"))[-1] for line in lines]
