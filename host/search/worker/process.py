"""The search's side of its worker: starts it, hands it jobs, replaces it when it dies or grows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import EdgeinferError, StorageError, TrainingError, storage_error
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.host.search.worker.job import Done, Job, Message
from edgeinfer.host.training.progress import Progress

GROWTH_MIB = 1024
"""A worker that holds so much more than after its first job is replaced."""

_ENDING_S = 10


class Workshop(Protocol):
    """Who builds and trains candidates."""

    def run(self, job: Job, progress: Progress, alive: Callable[[], None]) -> Done:
        """Do a job; see `WorkerProcess.run`."""

    def close(self) -> None:
        """Release what is held."""


class WorkerProcess(Closing):
    """A worker in a process of its own, started when there is something to do.

    Args:
        folder: for its log and its temporary files.
        growth_mib: see `GROWTH_MIB`.
    """

    def __init__(self, folder: Path, *, growth_mib: float = GROWTH_MIB) -> None:
        self._folder, self._growth_mib = folder, growth_mib
        self._process: subprocess.Popen[str] | None = None
        self._first_mib: float | None = None

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        return None if self._process is None else self._process.pid

    def run(self, job: Job, progress: Progress, alive: Callable[[], None]) -> Done:
        """Do a job.

        Args:
            job: what to do.
            progress: told what the worker tells.
            alive: called a few times a second while it works.

        Raises:
            StorageError: the disk is full or cannot be written.
            EdgeinferError: it cannot be done; the next job may well be.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(to_json(job)) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                message = from_json(Message, parse_json(line.encode()))
                alive()
                if message.done is not None or message.failure is not None:
                    return self._finish(job, message)
                _tell(progress, message)
        except (BrokenPipeError, SchemaError):
            pass  # it has gone, or was cut off within a line: the code below says why
        raise self._gone(job)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate(timeout=_ENDING_S)

    def _start(self) -> subprocess.Popen[str]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "worker.log").open("wb") as log:
                self._process = subprocess.Popen(
                    python_command("-m", "edgeinfer.host.search.worker.main"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    # What it leaves behind when it is killed lies where the search clears up.
                    env=safe_environment(TMPDIR=str(self._folder.absolute())),
                    # Ctrl-C is the search's to answer.
                    start_new_session=True,
                )
        except OSError as error:
            raise storage_error(self._folder, error) from error
        self._first_mib = None
        return self._process

    def _finish(self, job: Job, message: Message) -> Done:
        if self._first_mib is None:
            self._first_mib = message.rss_mib
        elif message.rss_mib > self._first_mib + self._growth_mib:
            self.close()
        failure = message.failure
        if failure is None:
            assert message.done is not None
            return message.done
        kind = StorageError if failure.storage else TrainingError
        raise kind(
            failure.subject,
            got=failure.got,
            expected=failure.expected,
            next_step=failure.next_step,
        )

    def _gone(self, job: Job) -> EdgeinferError:
        process, self._process = self._process, None
        assert process is not None
        process.kill()
        process.communicate(timeout=_ENDING_S)
        code = process.returncode
        how = f"killed by {signal_name(-code)}" if code < 0 else f"ended with code {code}"
        hint = "free memory" if code == -9 else f"see {self._folder / 'worker.log'}"
        return TrainingError(job.candidate.text(), got=f"its process was {how}", next_step=hint)


def _tell(progress: Progress, message: Message) -> None:
    if message.start is not None:
        progress.start(message.start, message.total)
    elif message.say is not None:
        progress.say(message.say)
    else:
        progress.advance(message.advance, message.note)
