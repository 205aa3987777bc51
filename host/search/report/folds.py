"""Folds: whether a winner keeps its budget, if validation has too few pictures to tell.

The run is trained again for each fold, without the pictures of that fold, and so is the winner from
it. Both then answer the fold's pictures, which they have not seen; together these are all pictures
except the test split's.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.measure.loss import Loss, loss_of
from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_samples, read_trained
from edgeinfer.converters.tensorflow.worker.process import LOG_FILE
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.host.search.best_calibration import evaluations_of_files
from edgeinfer.host.search.candidate import Candidate, Trial
from edgeinfer.host.search.context import PLAIN, WORK_FOLDER, Bench
from edgeinfer.host.search.front import Entry
from edgeinfer.host.search.space import full_epochs
from edgeinfer.host.search.worker.fold import FoldJob
from edgeinfer.host.search.worker.job import FLOAT_FILE, SMALL_FILE

FOLDS = 5
FOLDER = "folds"


@dataclass(frozen=True, kw_only=True)
class Folded:
    """The result of the folds.

    Attributes:
        samples: the number of pictures, answered by models that had not seen them.
        lost: the winner's loss compared with the float model there; None if there were no folds.
        reason: why there were none; empty if there were.
    """

    samples: int = 0
    lost: Loss | None = None
    reason: str = ""

    def text(self) -> str:
        """Return it as a line."""
        if self.lost is None:
            return f"no folds: {self.reason}"
        return (
            f"{FOLDS} folds, {self.samples:,} pictures: {self.lost.text()} lost compared with the "
            "float model"
        )


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """How a fold was answered: each picture's score by the float model, and by the winner."""

    winner: int
    reference: tuple[float, ...]
    scores: tuple[float, ...]


def by_folds(bench: Bench, winner: Entry, trial: Trial | None, limit_s: float) -> Folded:
    """Compare a winner with the float model on all pictures that a run was trained with.

    Finished parts of earlier folds are used again.

    Args:
        bench: of the search.
        winner: the winner.
        trial: how it was made; None for the baseline.
        limit_s: if folds would take longer, there are none.

    Raises:
        EdgeinferError: one cannot be trained.
    """
    seconds = FOLDS * _fold_s(bench.trained, trial)
    if reason := _not_repeatable(bench.trained):
        return Folded(reason=reason)
    if seconds > limit_s:
        return Folded(
            reason=f"{FOLDS} folds would take about {seconds / 60:.0f} minutes, longer than "
            "--time-limit"
        )
    bench.progress.say(f"so {FOLDS} folds decide, about {seconds / 60:.1f} minutes")
    epochs = 0
    if trial is not None:
        epochs = trial.epochs or full_epochs(bench.space.base, winner.candidate)
    found = []
    for fold in range(FOLDS):
        try:
            found.append(_fold(bench, winner, fold, epochs))
        except DataError as error:
            return Folded(reason=str(error))
    reference = np.concatenate([np.asarray(one.reference) for one in found])
    scores = np.concatenate([np.asarray(one.scores) for one in found])
    return Folded(samples=len(scores), lost=loss_of(reference, scores))


def _not_repeatable(trained: TrainedModel) -> str:
    """Return why folds cannot be trained and joined; empty if they can."""
    facts = trained.provenance
    if not trained.measured.averages:
        return f"the score of the task '{trained.task}' is not a mean over pictures"
    if any(name.startswith("prune.") for name in facts):
        return "the run was pruned, which cannot be repeated from its settings"
    if any(name.startswith("teacher.") for name in facts):
        return "the run had a teacher, which has seen all pictures"
    if facts.get("setting.weights", "None") != "None":
        return "the run started with weights from a file"
    return ""


def _fold_s(trained: TrainedModel, trial: Trial | None) -> float:
    """Return about how long a fold takes, seconds."""
    try:
        run_s = float(trained.provenance.get("seconds", "0"))
    except ValueError:
        run_s = 0.0
    return run_s + (0.0 if trial is None else trial.seconds)


def _fold(bench: Bench, winner: Entry, fold: int, epochs: int) -> _Scores:
    folder = bench.out / FOLDER / str(fold)
    kept = folder.with_suffix(".json")
    if (scores := _kept(kept, winner)) is not None:
        return scores
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    job = FoldJob(
        source=str(bench.run),
        out=str(folder),
        fold=fold,
        folds=FOLDS,
        seed=bench.seed,
        log=str(bench.out / WORK_FOLDER / LOG_FILE),
    )
    run = Path(bench.workshop.run(job, bench.progress).run)
    trained = read_trained(run)
    plain = Candidate(kind="plain", size=trained.preprocess.size)
    bench.work("train", run, plain, folder)
    made, small = _winner(bench, winner, run, folder, epochs)
    samples = read_samples(run)["test"]
    bench.progress.start(f"fold {fold + 1} of {FOLDS}: evaluate", 2 * len(samples))

    def answered(model: TrainedModel, path: Path) -> NDArray[np.float64]:
        found = evaluations_of_files({"model": path}, model, samples, bench.progress)
        return found["model"].scores

    scores = _Scores(
        winner=winner.number,
        reference=tuple(answered(trained, folder / FLOAT_FILE).tolist()),
        scores=tuple(answered(made, small).tolist()),
    )
    write_atomically(kept, json.dumps(to_json(scores)) + "\n")
    shutil.rmtree(folder)
    return scores


def _winner(
    bench: Bench, winner: Entry, run: Path, folder: Path, epochs: int
) -> tuple[TrainedModel, Path]:
    """Make the winner from a fold's run as the search made it; return it and its file.

    The folder already has plain INT8, next to the float model that was made with it.
    """
    candidate, made = winner.candidate, run
    if (candidate.kind, candidate.precision) != ("plain", "int8"):
        folder = folder / "winner"
        folder.mkdir()
        made = Path(bench.work("train", run, candidate, folder, epochs=epochs).run)
    calibration = winner.measured.calibration
    if calibration != PLAIN:
        bench.work("calibrate", made, candidate, folder)
    return read_trained(made), folder / SMALL_FILE.format(calibration=calibration)


def _kept(path: Path, winner: Entry) -> _Scores | None:
    try:
        scores = from_json(_Scores, parse_json(path.read_bytes()))
    except (OSError, SchemaError):
        return None
    return scores if scores.winner == winner.number else None
