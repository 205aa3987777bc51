"""Builds and trains candidates: `python -m edgeinfer.host.search.worker.main`.

One process for many candidates, since TensorFlow takes five seconds to import, longer than a small
candidate takes to train; but not the search's own: TensorFlow's memory grows from model to model,
its converter can kill its process, and its threads would disturb the timing. Jobs come as lines on
stdin, messages go as lines to stdout; when stdin ends, because the search was killed, say, so does
the worker.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from edgeinfer.device.core.errors import EdgeinferError, StorageError, storage_error
from edgeinfer.device.diagnose.benchmark.machine import resident_mib
from edgeinfer.device.models.bundle.strict import from_json, parse_json, to_json
from edgeinfer.host.search.worker.job import Done, Failure, Job, Message

if TYPE_CHECKING:  # Python 3.10, on which a folder can be checked, has it not
    from typing import Self

_EVERY_S = 0.2


class Messenger:
    """A `Progress` that tells the search.

    Args:
        stream: where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._steps, self._told = 0, 0.0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def start(self, title: str, total: int) -> None:
        """Tell the title."""
        self._steps = 0
        self.send(Message(start=title, total=total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Tell how far it is, a few times a second."""
        self._steps += steps
        now = time.monotonic()
        if now - self._told >= _EVERY_S:
            self.send(Message(advance=self._steps, note=note))
            self._steps, self._told = 0, now

    def say(self, line: str) -> None:
        """Tell a line."""
        self.send(Message(say=line))

    def send(self, message: Message) -> None:
        """Write a message."""
        self._stream.write(json.dumps(to_json(message)) + "\n")
        self._stream.flush()


def run_job(job: Job, messenger: Messenger) -> Done:
    """Do a job.

    Raises:
        EdgeinferError: it cannot be done.
    """
    from edgeinfer.host.search.worker.build import build, calibrate, train

    if job.action == "build":
        return build(job)
    return train(job, messenger) if job.action == "train" else calibrate(job, messenger)


def answer(job: Job, messenger: Messenger) -> Message:
    """Do a job and return what to say of it; whatever TensorFlow raises becomes a sentence."""
    try:
        return Message(done=run_job(job, messenger), rss_mib=resident_mib() or 0.0)
    except OSError as error:
        failure = _failure(storage_error(job.out, error))
    except EdgeinferError as error:
        failure = _failure(error)
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        failure = Failure(
            subject=job.candidate.text(), got=f"{type(error).__name__}: {reason[:300]}"
        )
    return Message(failure=failure, rss_mib=resident_mib() or 0.0)


def _failure(error: EdgeinferError) -> Failure:
    return Failure(
        subject=error.subject,
        got=error.got,
        expected=error.expected,
        next_step=error.next_step,
        storage=isinstance(error, StorageError),
    )


def _read(jobs: queue.SimpleQueue[str]) -> None:
    """Take lines from stdin; nobody waits for the result when it ends."""
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def main() -> None:
    """Do jobs until stdin ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # Libraries print to stdout, too; what the search reads is ours alone.
    messenger = Messenger(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), name="stdin", daemon=True).start()
    while True:
        job = from_json(Job, parse_json(jobs.get().encode()))
        messenger.send(answer(job, messenger))


if __name__ == "__main__":
    main()
