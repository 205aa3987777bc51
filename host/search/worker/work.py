"""A candidate as a job for a process that has TensorFlow.

One process builds and trains many candidates: TensorFlow takes longer to import than a small one
takes to train.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.device.core.processes import ProcessEnd
from edgeinfer.host.search.worker.build import build, calibrate, train
from edgeinfer.host.search.worker.job import Done, Job


@dataclass(frozen=True, kw_only=True)
class CandidateJob:
    """A piece of work on a candidate.

    Attributes:
        job: what to do.
        log: the process's log file, for errors.
    """

    answer: ClassVar[type[Done]] = Done
    job: Job
    log: str = ""

    def run(self, progress: Progress) -> Done:
        """Do it.

        Raises:
            EdgeinferError: it failed.
        """
        if self.job.action == "build":
            return build(self.job)
        work = train if self.job.action == "train" else calibrate
        return work(self.job, progress)

    def failed(self, reason: str, error: Exception) -> TrainingError:
        """Return the error for an exception of TensorFlow."""
        return TrainingError(self.job.candidate.text(), got=reason)

    def lost(self, end: ProcessEnd) -> TrainingError:
        """Return the error for a candidate that ended its process."""
        killed = end.signal == signal.SIGKILL  # as the kernel does when there is too little memory
        return TrainingError(
            self.job.candidate.text(),
            got=f"its process {end.text}",
            next_step="free memory" if killed else f"see {self.log}",
        )
