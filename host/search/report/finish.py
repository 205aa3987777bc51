"""The end of a search: the winner becomes a bundle, and the test split is used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Step
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.run_folder.trained_run import read_samples
from edgeinfer.converters.targets.targets import chosen_targets
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.intervals import compare_scores
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.strict import SchemaError, from_json, parse_json, to_json
from edgeinfer.host.search.best_calibration import evaluations_of_files
from edgeinfer.host.search.context import BASELINE_FOLDER, PLAIN, Bench
from edgeinfer.host.search.front import BASELINE, Entry
from edgeinfer.host.search.search import SearchOptions
from edgeinfer.host.search.study.results import Found
from edgeinfer.host.search.study.study import SearchStudy
from edgeinfer.host.search.worker.job import FLOAT_FILE, SMALL_FILE

ENDING_FILE = "winner.json"


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a model loses against another on the same pictures, in points of the score.

    Attributes:
        points: of the mean; below 0 for a gain.
        low: the lower end of the 95 % interval.
        high: the upper end.
    """

    points: float
    low: float
    high: float

    def contradicts(self, budget_points: float | None) -> bool:
        """Tell whether more is lost than a budget allows, by more than the interval."""
        return budget_points is not None and self.low > budget_points

    def text(self) -> str:
        """Return the loss with its interval."""
        return f"{self.points:.2f} points ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The winner on the test split, which nothing was chosen by.

    Attributes:
        winner: the number of its trial, or `BASELINE`.
        bundle: the file.
        test_samples: pictures that the shares below are of.
        winner_top1: of the winner as it is in the bundle, 0 to 1.
        winner_float_top1: of the winner as float32.
        baseline_top1: of the run's plain INT8.
        baseline_float_top1: of the run as float32.
        test_uses: for how many winners of this search the test split was used, this one included.
        lost: what the winner loses against the float model there; None where an earlier version
            wrote this.
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


def end_search(
    bench: Bench, options: SearchOptions, study: SearchStudy, found: Found, step: Step
) -> Ending:
    """Convert the winner and measure it and the baseline on the test split.

    A search that is started again and finds the same winner keeps what it has.

    Args:
        bench: of the search.
        options: what the user chose.
        study: counts how often the test split was used.
        found: what the search found.
        step: told what is going on.

    Raises:
        SearchError: nothing keeps the budget.
        EdgeinferError: the winner cannot be converted.
    """
    winner = found.require_winner()
    kept = _kept(bench.out / ENDING_FILE)
    if kept is not None and kept.winner == winner.number and Path(kept.bundle).is_file():
        return kept
    bundle = bench.out / f"{bench.trained.name}.edgebundle"
    study.count_test_use()
    result = convert(
        # The budget was the gate, and a repair would give another model than was measured.
        TrainedRun(folder=winner_run(bench, winner), max_drop_points=100.0),
        bundle,
        _convert_options(options, winner),
        step,
        tensorflow=bench.workshop,
    )
    test = result.evaluations["test"]
    precision = winner.candidate.precision
    baseline = _baseline_on_test(bench, step)
    ending = Ending(
        winner=winner.number,
        bundle=str(bundle),
        test_samples=test[precision].samples,
        winner_top1=test[precision].score,
        winner_float_top1=test["float32"].score,
        baseline_top1=baseline[PLAIN].score,
        baseline_float_top1=baseline["float32"].score,
        test_uses=study.test_uses,
        lost=_lost(baseline["float32"], test[precision]),
    )
    write_atomically(bench.out / ENDING_FILE, json.dumps(to_json(ending), indent=1) + "\n")
    return ending


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
            per_tensor_dense=targets.edgetpu is not None,
            calibration=winner.measured.calibration,
        ),
        targets=targets,
    )


def _lost(reference: Evaluation, winner: Evaluation) -> Loss:
    """Return what the winner loses, picture by picture."""
    gained = compare_scores(reference.scores, winner.scores)
    return Loss(points=-100 * gained.difference, low=-100 * gained.high, high=-100 * gained.low)


def _baseline_on_test(bench: Bench, step: Step) -> dict[str, Evaluation]:
    """Return how the run answers the test split, as float32 and as plain INT8."""
    folder = bench.out / BASELINE_FOLDER
    files = {
        "float32": folder / FLOAT_FILE,
        PLAIN: folder / SMALL_FILE.format(calibration=PLAIN),
    }
    samples = read_samples(bench.run)["test"]
    return evaluations_of_files(
        files, bench.trained, samples, step("evaluate the baseline on test")
    )


def _kept(path: Path) -> Ending | None:
    try:
        return from_json(Ending, parse_json(path.read_bytes()))
    except (OSError, SchemaError):
        return None
