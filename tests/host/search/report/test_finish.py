"""The winner as a bundle, and the test split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import read_samples
from edgeinfer.converters.tasks.classification.task import MeasuredClassification
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.errors import SearchError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.context import WORK_FOLDER
from edgeinfer.host.search.front import BASELINE
from edgeinfer.host.search.report.finish import (
    ENDING_FILE,
    Ending,
    end_search,
    fold_where_open,
    winner_run,
)
from edgeinfer.host.search.search import Search, SearchOptions, make_space
from edgeinfer.host.search.study.file import open_study
from edgeinfer.host.search.study.results import Found
from tests.converters.common.listening import Listening
from tests.host.search.conftest import EPOCH_S
from tests.host.search.examples import ScriptedTimer, entry


class _Enough(Exception):
    """Ends the search."""


class _Stopping(Listening):
    """Stops at the first step of the conversion."""

    def start(self, title: str, total: int | None = None) -> None:
        assert title == "prepare the calibration pictures"
        raise _Enough


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_the_test_split_is_used_once_a_winner(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.host.search.report.folds.FOLDS", 2)
    # What learns for seconds from 40 pictures may well win here.
    monkeypatch.setattr(MeasuredClassification, "chance", lambda task, targets: 0.0)
    out, budget = tmp_path / "out", Budget(accuracy_points=99)
    options = SearchOptions(budget=budget, time_limit_s=10 * EPOCH_S)
    space = replace(make_space(run, None), precisions=("int8",))
    progress = Listening()

    def times(title: str) -> int:
        return sum(line.startswith(title) for line in progress.told)

    with (
        open_study(out, options.settings(run), space, budget, seed=0) as study,
        TensorflowProcess(out / WORK_FOLDER) as workshop,
    ):
        search = Search(
            run,
            options,
            study,
            space,
            timer=ScriptedTimer({0: 1.5, 1: 0.5}),
            workshop=workshop,
            progress=Silent(),
            out=out,
        )

        def tell(trial: Trial) -> None:
            if trial.number == 1:
                raise _Enough

        with pytest.raises(_Enough):
            search.work(tell)
        found = search.found()
        assert found is not None
        ending = end_search(search.bench, options, study, found, progress)
        assert (ending.test_uses, ending.winner) == (1, 1)
        assert times("evaluate on test, once") == 1
        assert times("evaluate the baseline on test") == 1
        assert end_search(search.bench, options, study, found, progress) == ending
        assert times("evaluate on test, once") == 1
        _require_the_measured_model(ending, found, run.name)
        assert ending.lost is not None
        lost = 100 * (ending.baseline_float_top1 - ending.winner_top1)
        assert ending.lost.points == pytest.approx(lost)
        assert ending.lost.low <= ending.lost.points <= ending.lost.high
        _fold(search, options, found, ending)
        # Another winner, here the baseline itself, and it is done again, and counted.
        found = replace(found, models=found.models[:1])
        ending = end_search(search.bench, options, study, found, progress)
        assert (ending.test_uses, ending.winner) == (2, BASELINE)
        _require_the_measured_model(ending, found, run.name)
        _fold(search, options, found, ending)
        # The same after damage.
        (out / ENDING_FILE).write_text("{}")
        with pytest.raises(_Enough):
            end_search(search.bench, options, study, found, _Stopping())
        assert study.test_uses == 3
    assert winner_run(search.bench, entry(BASELINE, 0.5)) == run
    assert winner_run(search.bench, entry(7, 0.5)) == out / "candidates" / "007" / "run"


def _fold(search: Search, options: SearchOptions, found: Found, ending: Ending) -> None:
    """Check that folds answer all pictures but the test split's, once, and are kept."""
    assert (
        fold_where_open(search.bench, options, found, ending, Silent()) is ending
    )  # 99 points are kept
    lost = ending.lost_on_validation
    assert lost is not None
    small = replace(options, budget=Budget(accuracy_points=max(0.0, lost.high - 1)))
    if ending.winner != BASELINE:  # what the run itself took, this one does not tell
        hurried = replace(small, time_limit_s=1e-3)
        late = fold_where_open(search.bench, hurried, found, ending, Silent())
        assert late.folds is not None
        assert "longer than --time-limit" in late.folds.text()
    folded = fold_where_open(search.bench, small, found, ending, Silent())
    assert folded.folds is not None
    assert folded.folds.lost is not None
    samples = read_samples(search.bench.run)
    assert folded.folds.samples == len(samples["train"]) + len(samples["validation"])
    assert folded.folds.lost.low <= folded.folds.lost.points <= folded.folds.lost.high
    kept = sorted(search.bench.out.glob("folds/*"))
    assert [path.name for path in kept] == ["0.json", "1.json"]
    before = [path.stat().st_mtime_ns for path in kept]
    assert fold_where_open(search.bench, small, found, ending, Silent()) == folded
    assert [path.stat().st_mtime_ns for path in kept] == before


def _require_the_measured_model(ending: Ending, found: Found, name: str) -> None:
    """Check that the bundle holds the model that was measured."""
    winner = found.require_winner()
    assert ending.winner == winner.number
    with open_bundle(Path(ending.bundle)) as bundle:
        assert bundle.manifest.name == name
        assert bundle.manifest.metrics["test.int8.top1"] == ending.winner_top1
        assert bundle.manifest.metrics["validation.int8.top1"] == winner.measured.accuracy
        (variant,) = bundle.manifest.variants.values()
        assert len(bundle.member(variant.file)) == winner.measured.footprint.size_bytes


def test_nothing_is_converted_without_a_winner(tmp_path: Path) -> None:
    from tests.host.search.report.test_report import make_found

    found = make_found(Budget(invoke_ms=0.1))
    with pytest.raises(SearchError, match=r"#2 .*is the closest: 80\.00 % .*0\.4 ms"):
        found.require_winner()
