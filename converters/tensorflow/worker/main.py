"""The process that runs TensorFlow: `python -m edgeinfer.converters.tensorflow.worker.main`.

One process does many jobs, since TensorFlow takes some seconds to import. It is not the caller's
own
process: TensorFlow's memory grows from model to model, its converter can end its process, and its
threads disturb timing. Jobs come as lines on stdin, messages go as lines to stdout; when stdin
ends, for example because the caller was killed, this process ends too.

A job's line names its class as `MODULE:CLASS`. It comes from the process that started this one,
which could run any code anyway; names from files are never imported this way.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
from typing import TextIO, cast

from edgeinfer.converters.tensorflow.worker.job import Job, do
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.diagnose.benchmark.machine import resident_mib
from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json

_EVERY_S = 0.2


class LineReporter:
    """A `Progress` that writes lines for the process that asked.

    Args:
        stream: where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._steps, self._told = 0, 0.0

    def start(self, title: str, total: int | None = None) -> None:
        """Send the title."""
        self._steps = 0
        self.send(start=title, total=total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Send how far the work is, a few times a second."""
        self._steps += steps
        now = time.monotonic()
        if now - self._told >= _EVERY_S:
            self.send(advance=self._steps, note=note)
            self._steps, self._told = 0, now

    def say(self, line: str) -> None:
        """Send a line."""
        self.send(say=line)

    def end(self) -> None:
        """Send the steps that were not sent yet."""
        if self._steps:
            self.send(advance=self._steps, note="")
            self._steps = 0

    def send(self, **message: object) -> None:
        """Write a message."""
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()


def answer(line: str, reporter: LineReporter) -> dict[str, object]:
    """Do the job of a line and return the message about it."""
    request = cast("dict[str, object]", parse_json(line.encode()))
    module, _, name = str(request["kind"]).partition(":")
    kind: type[Job] = getattr(importlib.import_module(module), name)
    job = from_json(kind, request["job"])
    try:
        told: dict[str, object] = {"answer": to_json(do(job, reporter))}
        reporter.end()
    except EdgeinferError as error:
        told = {"failure": error.to_dict()}
    return {**told, "resident_mib": resident_mib() or 0.0}


def _read(jobs: queue.SimpleQueue[str]) -> None:
    """Take lines from stdin; nobody waits for the result when it ends."""
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def main() -> None:
    """Do jobs until stdin ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # Libraries also print to stdout; the caller must read only our messages.
    reporter = LineReporter(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), name="stdin", daemon=True).start()
    while True:
        reporter.send(**answer(jobs.get(), reporter))


if __name__ == "__main__":
    main()
