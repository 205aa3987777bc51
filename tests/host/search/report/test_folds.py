"""Folds of what they cannot decide."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import TrainedModel
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.search.context import Bench
from edgeinfer.host.search.front import BASELINE
from edgeinfer.host.search.report.folds import by_folds
from edgeinfer.host.search.space import space_of
from edgeinfer.host.search.study.clock import SearchClock
from tests.host.search.examples import BUDGET, CopyingWorkshop, ScriptedTimer, entry


def test_a_score_that_is_not_a_mean_has_no_folds(tmp_path: Path) -> None:
    trained = TrainedModel(
        name="run", task="detection", labels=("a",), preprocess=PreprocessSpec(size=(64, 64))
    )
    workshop = CopyingWorkshop()
    bench = Bench(
        run=tmp_path / "run",
        out=tmp_path / "out",
        trained=trained,
        validation=(),
        space=space_of(trained, None),
        budget=BUDGET,
        timer=ScriptedTimer({}),
        workshop=workshop,
        clock=SearchClock(limit_s=1e6, spent_s=0.0, keep=lambda spent_s: None),
        progress=Silent(),
    )
    folded = by_folds(bench, entry(BASELINE, 0.5), None, limit_s=1e6)
    assert folded.lost is None
    assert folded.text() == (
        "no folds: the score of the task 'detection' is not a mean over pictures"
    )
    assert not workshop.jobs
