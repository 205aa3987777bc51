"""A loop under test: what it answers, and what it should not have answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from tests.support.checkout import ROOT
from tests.support.program import PROGRAM

CHILD = Path(__file__).with_name("watched.py")


def watched(job: Mapping[str, object]) -> list[str]:
    """Return the command of watched.py."""
    return [sys.executable, str(CHILD), json.dumps(job)]


def run(*arguments: object) -> list[str]:
    """Return the command of `edgeinfer run --json`."""
    return [*PROGRAM, "run", "--json", *map(str, arguments)]


class WatchedLoop:
    """Runs a loop that prints a JSON object for each answer: watched.py's, or `run --json`.

    Of the one `picture` is looked at, of the other `sequence`; both must grow.

    Attributes:
        answers: how many there were.
        stale: answers to pictures that were not newer than the one before, or not whole.
        warnings: what the loop told.
    """

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.answers = 0
        self.stale = 0
        self.warnings: list[str] = []
        self._newest = -1
        self._changed = threading.Condition()
        self._answered_at: deque[float] = deque(maxlen=1000)
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self._process.stdout is not None
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,))
        self._listener.start()

    @property
    def pid(self) -> int:
        """The loop's process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the loop has ended."""
        return self._process.poll() is not None

    def recovery_s(self, since: float, limit_s: float) -> float | None:
        """Return how long after `since` a new picture was answered; None if none was."""
        with self._changed:
            self._changed.wait_for(lambda: self._last() > since or self.ended, limit_s)
            if self.ended:
                return None
            return next((at - since for at in self._answered_at if at > since), None)

    def _last(self) -> float:
        return self._answered_at[-1] if self._answered_at else 0.0

    def last_words(self) -> str:
        """Return what it wrote to stderr at the end."""
        return self._log.read_text(errors="replace")[-2000:]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._listener.join()

    def _listen(self, stream: TextIO) -> None:
        for line in stream:
            told = json.loads(line)
            with self._changed:
                if "warning" in told:
                    self.warnings.append(told["warning"])
                    continue
                number = told.get("picture", told.get("sequence", -1))
                self.answers += 1
                if number <= self._newest:
                    self.stale += 1
                else:
                    self._newest = number
                    self._answered_at.append(time.monotonic())
                self._changed.notify_all()
        stream.close()
        self._process.wait()
        with self._changed:
            self._changed.notify_all()
