"""The loop's last answer and its counters, for programs that look from time to time.

One JSON object, replaced by a rename at most once in `EVERY_S`, so that a reader always finds a
whole one; meant for a tmpfs such as /run, where it does not wear out a card. A power cut may lose
it.

| key | |
|---|---|
| `schema` | 1 |
| `pid` | the loop's process |
| `started`, `updated` | when the output was opened and the file written, seconds since the system's start (CLOCK_BOOTTIME), which never jumps |
| `answers` | frames answered so far |
| `dropped` | frames of a live source that were too old, or that a newer one replaced before they were answered |
| `camera`, `model` | what they are |
| `last` | the last answer, as `json_lines` writes it; null before the first |
"""  # noqa: E501

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.outputs.base import LoopFacts, Output
from edgeinfer.device.outputs.text.json_lines import answer_to_json

SCHEMA = 1
EVERY_S = 1.0
"""The file is replaced at most so often."""


class StatusSink(Output):
    """Replaces a file by the loop's state.

    Args:
        path: the file; its folder is made.
        facts: what the loop is and has dropped; None where nobody knows.
    """

    def __init__(self, path: Path, facts: LoopFacts | None = None) -> None:
        self._path = path
        self._new_path = path.with_name(f".{path.name}.new")
        self._facts = facts
        self._started_s = _now_s()
        self._due_s = float("-inf")
        self._taken = 0
        self._last: Answer | None = None

    def check(self) -> None:
        """Write the file for the first time, before the loop begins.

        What an earlier run left is replaced.

        Raises:
            StorageError: the file cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self._path, error) from error
        self._replace()

    def write(self, answer: Answer) -> None:
        """Take an answer; it is written to the file when that is due.

        Raises:
            StorageError: the file cannot be written.
        """
        now_s = time.monotonic()
        last, self._last = self._last, answer
        self._taken += 1
        if now_s < self._due_s:
            return
        try:
            self._replace()
        except StorageError:
            self._last = last
            self._taken -= 1  # it counts as dropped
            raise
        self._due_s = now_s + EVERY_S

    def finish(self, summary: LoopSummary) -> None:
        """Write the last answer.

        Raises:
            StorageError: the file cannot be written.
        """
        self._replace()

    def _replace(self) -> None:
        told = {
            "schema": SCHEMA,
            "pid": os.getpid(),
            "started": self._started_s,
            "updated": _now_s(),
            "answers": self._taken + self.dropped,
            "dropped": 0 if self._facts is None else self._facts.dropped(),
            "camera": "" if self._facts is None else self._facts.camera(),
            "model": "" if self._facts is None else self._facts.model(),
            "last": None if self._last is None else answer_to_json(self._last, self.dropped),
        }
        try:
            with self._new_path.open("w", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")
            os.replace(self._new_path, self._path)
        except OSError as error:
            with suppress(OSError):
                self._new_path.unlink()
            raise storage_error(self._path, error) from error


def _now_s() -> float:
    """Return the time since the system's start, rounded down: none of these is in the future."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 / 1000
