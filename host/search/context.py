"""Everything that a search uses to try candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.quantize.calibration import CalibrationMethod
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.converters.tensorflow.worker.process import LOG_FILE
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Candidate
from edgeinfer.host.search.space import Space
from edgeinfer.host.search.study.clock import SearchClock
from edgeinfer.host.search.time_models import Timer
from edgeinfer.host.search.worker.job import SMALL_FILE, Action, Done, Job
from edgeinfer.host.search.worker.work import CandidateJob

BASELINE_FOLDER = "baseline"
CANDIDATES_FOLDER = "candidates"
WORK_FOLDER = "work"
"""A folder for the process that has TensorFlow; files that it leaves there are removed."""
PLAIN: CalibrationMethod = "min-max"


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Everything that a search uses to try candidates.

    Attributes:
        run: the folder of the run to improve.
        out: the search's folder.
        trained: the facts about the run.
        validation: its validation samples.
        space: the candidates.
        budget: the limits.
        timer: times models compared with the baseline.
        workshop: builds and trains them.
        clock: how long the search has worked.
        progress: reports what is going on.
        seed: of training.
        per_tensor_dense: one scale for all weights of a dense layer, for an Edge TPU.
    """

    run: Path
    out: Path
    trained: TrainedModel
    validation: Sequence[Sample]
    space: Space
    budget: Budget
    timer: Timer
    workshop: Worker
    clock: SearchClock
    progress: Progress
    seed: int = 0
    per_tensor_dense: bool = False

    @property
    def baseline_file(self) -> Path:
        """The run's plain INT8."""
        return self.out / BASELINE_FOLDER / SMALL_FILE.format(calibration=PLAIN)

    def folder(self, number: int) -> Path:
        """Return the folder of a trial's files."""
        return self.out / CANDIDATES_FOLDER / f"{number:03}"

    def work(
        self, action: Action, run: Path, candidate: Candidate, folder: Path, *, epochs: int = 0
    ) -> Done:
        """Let the worker do an action.

        Args:
            action: the action.
            run: the folder to begin with: the search's run, or a trained candidate to `calibrate`.
            candidate: the candidate.
            folder: where the files go.
            epochs: the largest number for `train`.
        """
        job = Job(
            action=action,
            run=str(run),
            candidate=candidate,
            out=str(folder),
            cache=str(self.out / "cache"),
            epochs=epochs,
            seed=self.seed,
            per_tensor_dense=self.per_tensor_dense,
        )
        done: Done = self.workshop.run(
            CandidateJob(job=job, log=str(self.out / WORK_FOLDER / LOG_FILE)),
            self.progress,
        )
        return done
