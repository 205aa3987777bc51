"""`edgeinfer run` in a separate process, whose lines are read while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from tests.support.program import PROGRAM
from tests.support.waiting import PATIENCE_S, until


class Loop:
    """A running loop: what it has said so far, and what to do to it."""

    def __init__(
        self,
        *arguments: object,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "run", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._threads = [
            threading.Thread(target=self._listen, args=(stream, lines), daemon=True)
            for stream, lines in (
                (self.process.stdout, self.out),
                (self.process.stderr, self.err),
            )
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, stream: TextIO, lines: list[str]) -> None:
        with stream:
            for line in iter(stream.readline, ""):
                lines.append(line)

    def wait_for_answers(self, more: int = 1) -> None:
        """Wait until this many more answers came."""
        wanted = len(self.out) + more
        until(lambda: len(self.out) >= wanted or self.process.poll() is not None)
        assert len(self.out) >= wanted, self.err

    def wait_for_event(self, text: str, times: int = 1) -> None:
        """Wait until stderr has this many lines with a text."""
        until(lambda: sum(text in line for line in self.err) >= times)

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self.process.wait(timeout_s)
        finally:
            self.process.kill()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        assert "Traceback" not in "".join(self.err), self.err
        assert "a defect in edgeinfer" not in "".join(self.err), self.err
        return code

    def answers(self) -> list[dict[str, Any]]:
        """Return the answers of a loop with --json that has ended."""
        return [line for line in map(json.loads, self.out) if "summary" not in line]
