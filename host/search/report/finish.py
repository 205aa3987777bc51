"""The end of a search: the winner becomes a bundle, and the test split is used."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.measure.loss import Loss, loss_between
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.run_folder.trained_run import Split, read_samples
from edgeinfer.converters.targets.targets import chosen_targets
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.host.search.best_calibration import evaluations_of_files
from edgeinfer.host.search.context import BASELINE_FOLDER, PLAIN, Bench
from edgeinfer.host.search.front import BASELINE, Entry
from edgeinfer.host.search.report.folds import Folded, by_folds
from edgeinfer.host.search.search import SearchOptions
from edgeinfer.host.search.study.results import Found
from edgeinfer.host.search.study.study import SearchStudy
from edgeinfer.host.search.worker.job import FLOAT_FILE, SMALL_FILE

ENDING_FILE = "winner.json"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The winner on the test split, which was not used to choose anything.

    Attributes:
        winner: the number of its trial, or `BASELINE`.
        bundle: the file.
        test_samples: the number of pictures behind the shares below.
        winner_top1: of the winner in the bundle, 0 to 1: the task's score, for classes top-1.
        winner_float_top1: of the winner as float32.
        baseline_top1: of the run's plain INT8.
        baseline_float_top1: of the run as float32.
        test_uses: for how many winners of this search the test split was used, with this one.
        lost: the winner's loss compared with the float model there; None if an earlier version
            wrote this.
        lost_on_validation: the same on validation, which was used to choose it.
        folds: the result of folds, if validation could not decide whether the budget is kept.
        winner_interval: the 95 % interval of the winner's score; None if an earlier version wrote
            this.
    """

    winner: int
    bundle: str
    test_samples: int
    winner_top1: float
    winner_float_top1: float
    baseline_top1: float
    baseline_float_top1: float
    test_uses: int
    lost: Loss | None = None
    lost_on_validation: Loss | None = None
    folds: Folded | None = None
    winner_interval: tuple[float, float] | None = None


def end_search(
    bench: Bench, options: SearchOptions, study: SearchStudy, found: Found, progress: Progress
) -> Ending:
    """Convert the winner and measure it and the baseline on the test split.

    A search that is started again and finds the same winner keeps what it has.

    Args:
        bench: of the search.
        options: what the user chose.
        study: counts how often the test split was used.
        found: the search's result.
        progress: reports what is going on.

    Raises:
        SearchError: no candidate keeps the budget.
        EdgeinferError: the winner cannot be converted.
    """
    winner = found.require_winner()
    kept = _kept(bench.out / ENDING_FILE)
    if kept is not None and kept.winner == winner.number and Path(kept.bundle).is_file():
        return kept
    bundle = bench.out / f"{bench.trained.name}.edgebundle"
    study.count_test_use()
    result = convert(
        # The budget was the gate, and a repair would give a different model than the measured one.
        TrainedRun(folder=winner_run(bench, winner), max_drop_points=100.0),
        bundle,
        _convert_options(options, winner),
        progress,
        tensorflow=bench.workshop,
    )
    test = result.evaluations["test"]
    precision = winner.candidate.precision
    baseline = _baseline_on("test", bench, progress, "float32", PLAIN)
    lost = loss_between(
        _baseline_on("validation", bench, progress, "float32")["float32"],
        result.evaluations["validation"][precision],
    )
    ending = Ending(
        winner=winner.number,
        bundle=str(bundle),
        test_samples=test[precision].samples,
        winner_top1=test[precision].score,
        winner_float_top1=test["float32"].score,
        baseline_top1=baseline[PLAIN].score,
        baseline_float_top1=baseline["float32"].score,
        test_uses=study.test_uses,
        lost=loss_between(baseline["float32"], test[precision]),
        lost_on_validation=lost,
        winner_interval=test[precision].interval,
    )
    _keep(bench.out, ending)
    return ending


def fold_where_open(
    bench: Bench, options: SearchOptions, found: Found, ending: Ending, progress: Progress
) -> Ending:
    """Use folds to find whether the winner keeps the budget, if validation is too small for that.

    Args:
        bench: of the search.
        options: what the user chose.
        found: the search's result.
        ending: the result of `end_search`.
        progress: reports what is going on.

    Raises:
        EdgeinferError: a fold cannot be trained.
    """
    points, lost = options.budget.accuracy_points, ending.lost_on_validation
    if points is None or lost is None or not lost.leaves_open(points) or ending.folds is not None:
        return ending
    progress.say(
        f"on validation, {len(bench.validation):,} pictures, the winner loses {lost.text()}: too "
        f"few pictures to tell whether it keeps the budget of {points:g}"
    )
    winner = found.require_winner()
    trial = next((one for one in found.trials if one.number == winner.number), None)
    # The search's own clock has stopped: folds take extra time.
    bench = replace(bench, progress=progress)
    folds = by_folds(bench, winner, trial, limit_s=options.time_limit_s)
    ending = replace(ending, folds=folds)
    if folds.lost is not None:  # else a longer --time-limit may bring them
        _keep(bench.out, ending)
    return ending


def require_kept(found: Found, ending: Ending) -> None:
    """Refuse a winner that pictures it was not chosen by contradict, by more than the interval.

    Raises:
        AccuracyError: they do.
    """
    allowed = found.budget.accuracy_points
    folds = None if ending.folds is None else ending.folds.lost
    for lost, where in ((folds, "by folds"), (ending.lost, "on the test split")):
        if lost is not None and lost.contradicts(allowed):
            raise AccuracyError(
                f"the winner #{ending.winner}" if ending.winner >= 0 else "the baseline",
                got=f"loses {lost.text()} {where}",
                expected=f"at most {allowed:g}, the budget, as on validation",
                next_step="give the run more validation pictures, or the search another --seed",
            )


def _keep(out: Path, ending: Ending) -> None:
    write_atomically(out / ENDING_FILE, json.dumps(to_json(ending), indent=1) + "\n")


def winner_run(bench: Bench, winner: Entry) -> Path:
    """Return the folder of the winner's trained run."""
    if winner.number == BASELINE or winner.candidate.kind == "plain":
        return bench.run
    return bench.folder(winner.number) / bench.trained.name


def _convert_options(options: SearchOptions, winner: Entry) -> ConvertOptions:
    board = options.board
    targets = chosen_targets(board=None if board is None else board.name)
    return ConvertOptions(
        repair="none",
        quantize=QuantizeOptions(
            precision=winner.candidate.precision,
            per_tensor_dense=targets.per_tensor_dense,
            calibration=winner.measured.calibration,
        ),
        targets=targets,
    )


def _baseline_on(
    split: Split, bench: Bench, progress: Progress, *forms: str
) -> dict[str, Evaluation]:
    """Return how the run answers a split, in each form: `float32` or plain INT8."""
    folder = bench.out / BASELINE_FOLDER
    files = {
        "float32": folder / FLOAT_FILE,
        PLAIN: folder / SMALL_FILE.format(calibration=PLAIN),
    }
    samples = read_samples(bench.run)[split]
    progress.start(f"evaluate the baseline on {split}", len(samples))
    asked = {form: files[form] for form in forms}
    return evaluations_of_files(asked, bench.trained, samples, progress)


def _kept(path: Path) -> Ending | None:
    try:
        return from_json(Ending, parse_json(path.read_bytes()))
    except (OSError, SchemaError):
        return None
