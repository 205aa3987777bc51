"""A run trained again without some of its pictures, which can then measure it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_samples, read_trained
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.device.core.processes import ProcessEnd
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.data.of_run import data_of_run
from edgeinfer.host.data.split import fold_of, split_samples
from edgeinfer.host.search.worker.job import Done
from edgeinfer.host.training.config import run_config
from edgeinfer.host.training.train import train


@dataclass(frozen=True, kw_only=True)
class FoldJob:
    """One fold: a run is trained again on the other folds, with its own settings.

    Attributes:
        source: the run's folder.
        out: where the new run goes, into `out/NAME`; its test split is the fold.
        fold: which one, from 0.
        folds: how many there are.
        seed: of the folds.
        log: the process's log file, for errors.
    """

    answer: ClassVar[type[Done]] = Done
    source: str
    out: str
    fold: int
    folds: int
    seed: int
    log: str = ""

    def run(self, progress: Progress) -> Done:
        """Train.

        Raises:
            EdgeinferError: it failed.
        """
        trained = read_trained(Path(self.source))
        out = Path(self.out, trained.name)
        train(
            self._data(trained),
            replace(run_config(trained), seed=self.seed + self.fold),
            out,
            progress=progress,
            force=True,
            resumable=False,
            page=False,
        )
        return Done(run=str(out))

    def _data(self, trained: TrainedModel) -> PreparedData:
        """Return the run's train and validation pictures, the fold as the test split.

        Raises:
            DataError: a group has too few pictures.
        """
        splits = read_samples(Path(self.source))
        pool: list[Sample] = [*splits["train"], *splits["validation"]]
        numbers = fold_of(pool, task=trained.measured, count=self.folds, seed=self.seed)
        folds = split_samples(
            (
                (sample, "test" if number == self.fold else None)
                for sample, number in zip(pool, numbers, strict=True)
            ),
            task=trained.measured,
            seed=self.seed,
        )
        return data_of_run(trained, folds)

    def failed(self, reason: str, error: Exception) -> TrainingError:
        """Return the error for an exception of TensorFlow."""
        return TrainingError(f"fold {self.fold + 1}", got=reason)

    def lost(self, end: ProcessEnd) -> TrainingError:
        """Return the error for a fold that ended its process."""
        return TrainingError(
            f"fold {self.fold + 1}", got=f"its process {end.text}", next_step=f"see {self.log}"
        )
