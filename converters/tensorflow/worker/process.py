"""The caller's side of TensorFlow's process: starts it, sends jobs, replaces it when it dies."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from edgeinfer.converters.common.progress import Progress, Silent
from edgeinfer.converters.tensorflow.worker.job import Job
from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import EdgeinferError, storage_error
from edgeinfer.device.core.processes import (
    ProcessEnd,
    last_line,
    python_command,
    safe_environment,
)
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json

GROWTH_MIB = 1024
"""A process that uses this much more memory than after its first job is replaced."""

LOG_FILE = "worker.log"
"""The log's name in the given folder."""

_ENDING_S = 10
_LAST_WORDS_BYTES = 4096


class TensorflowProcess(Closing):
    """Does jobs in a separate process, which is started for the first job.

    While it is open, TensorFlow is imported only once for all jobs.

    Args:
        folder: for its temporary files, which a kill leaves behind, and its log; None for the
            system's own place, without a log that stays.
        growth_mib: see `GROWTH_MIB`.

    >>> with TensorflowProcess() as tensorflow:  # doctest: +SKIP
    ...     tensorflow.run(ImportJob(model="cats.keras", folder="/tmp/cats"))
    """

    def __init__(self, folder: Path | None = None, *, growth_mib: float = GROWTH_MIB) -> None:
        self._folder, self._growth_mib = folder, growth_mib
        self._process: subprocess.Popen[str] | None = None
        self._log: BinaryIO | None = None
        self._first_mib: float | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return None if self._process is None else self._process.pid

    def run(self, job: Job, progress: Progress | None = None) -> Any:
        """Do a job.

        Args:
            job: what to do.
            progress: receives the process's reports.

        Returns:
            A `job.answer`.

        Raises:
            StorageError: the disk is full or cannot be written.
            EdgeinferError: it failed; the next job may succeed.
        """
        process = self._process or self._start()
        try:
            last = _ask(process, job, progress or Silent())
        except BaseException:
            self.close()  # Ctrl-C, or a failed display: nobody waits for the result any longer
            raise
        if last is None:
            raise self._gone(job)
        return self._finish(job, last)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        log, self._log = self._log, None
        if process is not None:
            process.kill()
            process.communicate(timeout=_ENDING_S)
        if log is not None:
            log.close()

    def _start(self) -> subprocess.Popen[str]:
        try:
            self._log = self._open_log()
            place = {} if self._folder is None else {"TMPDIR": str(self._folder.absolute())}
            self._process = subprocess.Popen(
                python_command("-m", "edgeinfer.converters.tensorflow.worker.main"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
                env=safe_environment(**place),
                # The caller handles Ctrl-C.
                start_new_session=True,
            )
        except OSError as error:
            raise storage_error(self._folder or tempfile.gettempdir(), error) from error
        self._first_mib = None
        return self._process

    def _open_log(self) -> BinaryIO:
        if self._folder is None:
            return cast("BinaryIO", tempfile.TemporaryFile())
        self._folder.mkdir(parents=True, exist_ok=True)
        return (self._folder / LOG_FILE).open("w+b")

    def _finish(self, job: Job, message: dict[str, Any]) -> Any:
        resident_mib = float(message["resident_mib"])
        if self._first_mib is None:
            self._first_mib = resident_mib
        elif resident_mib > self._first_mib + self._growth_mib:
            self.close()
        if "failure" in message:
            raise EdgeinferError.from_dict(message["failure"])
        return from_json(job.answer, message["answer"])

    def _gone(self, job: Job) -> EdgeinferError:
        process, log = self._process, self._log
        assert process is not None
        assert log is not None
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDING_S)  # it closed its output and is about to end
        words = _last_words(log)
        self.close()
        return job.lost(ProcessEnd(code=process.returncode, words=words))


def _ask(process: subprocess.Popen[str], job: Job, progress: Progress) -> dict[str, Any] | None:
    """Send a job and return its last message; None if the process has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    kind = type(job)
    request = {"kind": f"{kind.__module__}:{kind.__qualname__}", "job": to_json(job)}
    # It has ended, maybe in the middle of a line: its exit status says why.
    with suppress(BrokenPipeError, SchemaError):
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            message = parse_json(line.encode())
            assert isinstance(message, dict)
            if "answer" in message or "failure" in message:
                return message
            _tell(progress, message)
    return None


def _last_words(log: BinaryIO) -> str:
    """Return the last line that the process wrote; empty if it wrote none."""
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - _LAST_WORDS_BYTES))
    return last_line(log.read())


def _tell(progress: Progress, message: dict[str, Any]) -> None:
    if "start" in message:
        progress.start(message["start"], message["total"])
    elif "say" in message:
        progress.say(message["say"])
    else:
        progress.advance(message["advance"], message["note"])
