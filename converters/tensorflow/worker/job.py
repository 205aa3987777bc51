"""Jobs for TensorFlow, and how a process that has TensorFlow does them."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, ClassVar, Protocol, cast

from edgeinfer.converters.common.library_error import library_reason
from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import EdgeinferError, storage_error
from edgeinfer.device.core.processes import ProcessEnd


class Job(Protocol):
    """A piece of work: a frozen dataclass that JSON can hold.

    Attributes:
        answer: the class of the result of `run`, also a frozen dataclass.
    """

    answer: ClassVar[type]

    def run(self, progress: Progress) -> Any:
        """Do it, in a process that may import TensorFlow.

        Raises:
            EdgeinferError: it failed.
        """

    def failed(self, reason: str, error: Exception) -> EdgeinferError:
        """Return the error for an exception of TensorFlow or a library.

        Args:
            reason: what it says, its cause first; see `library_reason`.
            error: the exception.
        """

    def lost(self, end: ProcessEnd) -> EdgeinferError:
        """Return the error for a process that ended during the job."""


class Worker(Protocol):
    """Does jobs: in a separate process, or in this one."""

    def run(self, job: Job, progress: Progress) -> Any:
        """Do a job and return its answer.

        Raises:
            EdgeinferError: it failed; the next job may succeed.
        """


def load_tensorflow(progress: Progress) -> None:
    """Import TensorFlow, and say so where that takes seconds: the first time in a process."""
    if "tensorflow" not in sys.modules:
        progress.start("load TensorFlow")
        importlib.import_module("tensorflow")


class Here:
    """Does jobs in this process, which already has TensorFlow and may be ended by it."""

    def run(self, job: Job, progress: Progress) -> Any:
        """Do a job; see `Worker.run`."""
        return do(job, progress)


def do(job: Job, progress: Progress) -> Any:
    """Do a job here; any exception of TensorFlow becomes an `EdgeinferError`.

    Raises:
        EdgeinferError: it failed.
    """
    try:
        return job.run(progress)
    except EdgeinferError:
        raise
    except OSError as error:
        place = error.filename if isinstance(error.filename, (str, os.PathLike)) else "a file"
        raise storage_error(cast("str", place), error) from error
    except Exception as error:
        raise job.failed(library_reason(error), error) from error
