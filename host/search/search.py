"""The search: candidate after candidate until the time is up, then the winner's bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.boards import BoardProfile
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.targets.targets import chosen_targets
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.device.core.errors import ModelError, SearchError
from edgeinfer.host.search.attempt import attempt, measure_baseline
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Trial
from edgeinfer.host.search.context import CANDIDATES_FOLDER, WORK_FOLDER, Bench
from edgeinfer.host.search.front import entries
from edgeinfer.host.search.pace import Known, known_paces
from edgeinfer.host.search.space import Space, space_of
from edgeinfer.host.search.study.clock import SearchClock, Ticking
from edgeinfer.host.search.study.results import Found
from edgeinfer.host.search.study.study import Asked, SearchStudy
from edgeinfer.host.search.time_models import Timer
from edgeinfer.host.training.history import JSON_FILE

_MOST_UNTRAINED = 40
"""After this many untrained candidates in a row there is nothing left to try."""

_MOST_TOO_LONG = 4
"""After this many candidates in a row that would not end in time, the search ends early."""

_MOST_FAILURES = 8
"""This many failed candidates in a row have a common cause."""

_UNKNOWN_EPOCH_S = 10.0


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How to search for a smaller model, for `edgeinfer.optimize`.

    Examples:
        >>> options = edgeinfer.SearchOptions(budget=edgeinfer.Budget(invoke_ms=5))
        >>> edgeinfer.optimize("runs/photos", "runs/search", options)

    Attributes:
        budget: the limits that the model must keep.
        time_limit_s: how long the search may take, in seconds. If it is stopped and continued, the
            times are added.
        max_candidates: how many models are tried at most. None has no limit.
        board: the board that the model is for, such as `edgeinfer.boards.load_profile("rpi4")`. The
            best model gets a variant for its accelerator. None is for any board.
        measure_on: the board on which the models are timed, such as "pi@cam1.local". "" times them
            on this machine.
        threads: how many CPU threads one inference uses.
        seed: random seed of the choice of models and of their training.
    """

    budget: Budget
    time_limit_s: float = 1200.0
    max_candidates: int | None = None
    board: BoardProfile | None = None
    measure_on: str = ""
    threads: int = 1
    seed: int = 0

    def settings(self, run: Path) -> dict[str, str]:
        """Return the settings that a search's figures depend on, by the option's name."""

        def text(value: float | None) -> str:
            return "" if value is None else f"{value:g}"

        return {
            "RUN": str(run.resolve()),
            "the model in RUN": _fingerprint(run / KERAS_FILE),
            "--budget-accuracy": text(self.budget.accuracy_points),
            "--budget-ms": text(self.budget.invoke_ms),
            "--budget-kb": text(self.budget.size_kb),
            "--board": "" if self.board is None else self.board.name,
            "--measure-on": self.measure_on,
            "--threads": str(self.threads),
            "--seed": str(self.seed),
        }


class Search:
    """A search in a folder; in the same folder it continues where it was.

    Args:
        run: a folder of `edgeinfer train`.
        options: what the user chose.
        study: the trials so far.
        space: the candidates.
        timer: times models compared with the baseline.
        workshop: builds and trains them.
        progress: reports what is going on.
        out: the search's folder.

    Raises:
        ModelError: the run is damaged, or has no validation pictures.
    """

    def __init__(
        self,
        run: Path,
        options: SearchOptions,
        study: SearchStudy,
        space: Space,
        *,
        timer: Timer,
        workshop: Worker,
        progress: Progress,
        out: Path,
    ) -> None:
        trained, splits = read_trained(run), read_samples(run)
        for split in ("train", "validation", "test"):
            if not splits[split]:
                raise ModelError(
                    run, got=f"has no {split} samples", expected="samples to measure on"
                )
        self._options, self._study = options, study
        # Until the next start there is only less time, so these need not be built again before it.
        self._late: dict[Candidate, Trial] = {}
        self.clock = SearchClock(
            limit_s=options.time_limit_s, spent_s=study.spent_s, keep=study.set_spent
        )
        board = options.board
        self.bench = Bench(
            run=run,
            out=out,
            trained=trained,
            validation=splits["validation"],
            space=space,
            budget=options.budget,
            timer=timer,
            workshop=workshop,
            clock=self.clock,
            progress=Ticking(progress, self.clock),
            seed=options.seed,
            per_tensor_dense=chosen_targets(
                board=None if board is None else board.name
            ).per_tensor_dense,
        )

    def work(self, tell: Callable[[Trial], None]) -> None:
        """Try candidates until the time is up, enough were tried, or nothing is left.

        Args:
            tell: called with each trial.

        Raises:
            UnreachableError: the board that measures no longer answers.
            StorageError: the disk is full or cannot be written.
            SearchError: one candidate after another fails.
            EdgeinferError: the run itself cannot be converted or measured.
        """
        self._clear_up()
        baseline = self._study.baseline()
        if baseline is None:
            baseline = measure_baseline(self.bench)
            self._study.set_baseline(baseline)
        space = self.bench.space
        self._study.enqueue((*space.plain(), *space.first()))
        self._late.clear()
        untrained = failures = too_long = 0
        while (
            self.clock.left_s > self._shortest_s()
            and not self._tried_enough()
            and untrained < _MOST_UNTRAINED
            and too_long < _MOST_TOO_LONG
        ):
            asked = self._study.ask()
            try:
                trial = self._try(asked, baseline)
            except BaseException:
                self._study.interrupt(asked.number)
                self._discard(asked.number)
                raise
            finally:
                self.clock.keep()
            self._study.tell(trial, baseline)
            untrained = untrained + 1 if trial.outcome in ("repeated", "not trained") else 0
            if trial.outcome != "repeated":
                too_long = too_long + 1 if trial.retry else 0
            failures = failures + 1 if trial.outcome == "failed" else 0
            if trial.outcome != "repeated":
                tell(trial)
            if trial.outcome != "measured":
                self._discard(trial.number)
            if failures >= _MOST_FAILURES:
                raise SearchError(
                    self.bench.trained.name,
                    got=f"the last {failures} candidates failed ({trial.reason})",
                    next_step="fix that and start again: the search continues from here",
                )

    def found(self) -> Found | None:
        """Return the result so far; None before the baseline is measured."""
        baseline = self._study.baseline()
        if baseline is None:
            return None
        trials = [trial for trial in self._study.trials() if trial.outcome != "repeated"]
        return Found(
            name=self.bench.trained.name,
            budget=self._options.budget,
            baseline=baseline,
            models=tuple(entries(baseline, self.bench.space.size, trials)),
            trials=tuple(trials),
            spent_s=self.clock.spent_s,
            chance=self.bench.trained.measured.chance(
                [sample.target for sample in self.bench.validation]
            ),
        )

    def _try(self, asked: Asked, baseline: Baseline) -> Trial:
        same = self._late.get(asked.candidate) or self._study.same(asked.candidate, asked.number)
        if same is not None:
            return Trial(
                number=asked.number,
                candidate=asked.candidate,
                outcome="repeated",
                reason=f"the same as #{same.number}",
                retry=same.retry,
            )
        trials = self._study.trials()
        models = entries(baseline, self.bench.space.size, trials)
        paces = known_paces(trials) or [_pace_of_the_run(self.bench.run, baseline)]
        trial = attempt(self.bench, asked, baseline, models, paces)
        if trial.retry:
            self._late[asked.candidate] = trial
        return trial

    def _tried_enough(self) -> bool:
        """Return whether as many candidates were tried as the user asked for."""
        if self._options.max_candidates is None:
            return False
        tried = [t for t in self._study.trials() if t.outcome != "repeated" and not t.retry]
        return len(tried) >= self._options.max_candidates

    def _shortest_s(self) -> float:
        """Return the shortest time that a candidate took without its training, seconds."""
        trials = [trial for trial in self._study.trials() if trial.footprint is not None]
        made = [trial.seconds - trial.training_s for trial in trials if trial.epochs or trial.retry]
        return max(0.0, min(made, default=0.0))

    def _clear_up(self) -> None:
        """Remove unfinished files of a killed process."""
        shutil.rmtree(self.bench.out / WORK_FOLDER, ignore_errors=True)
        done = {t.number for t in self._study.trials() if t.measured is not None}
        for folder in (self.bench.out / CANDIDATES_FOLDER).glob("*"):
            if not (folder.name.isdigit() and int(folder.name) in done):
                shutil.rmtree(folder, ignore_errors=True)

    def _discard(self, number: int) -> None:
        shutil.rmtree(self.bench.folder(number), ignore_errors=True)


def _pace_of_the_run(run: Path, baseline: Baseline) -> Known:
    """Return the time of the run's own last stage, from its history."""
    try:
        epochs = json.loads((run / JSON_FILE).read_bytes())
        last = [epoch["seconds"] for epoch in epochs if epoch["stage"] == epochs[-1]["stage"]]
        epoch_s = float(sum(last)) / len(last)
    except (OSError, ValueError, LookupError, TypeError):
        epoch_s = _UNKNOWN_EPOCH_S
    macs = baseline.measured.footprint.macs
    return Known(kind="run", macs=macs, epoch_s=epoch_s, overhead_s=baseline.seconds)


def _fingerprint(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ModelError(
            path, got="cannot be read", expected="a Keras model", next_step="train again"
        ) from error


def make_space(run: Path, board: BoardProfile | None) -> Space:
    """Return the candidates for a run.

    Raises:
        ModelError: the folder is not a run.
    """
    return space_of(read_trained(run), board)
