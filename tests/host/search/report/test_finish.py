"""The winner as a bundle, and the test split."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.device.core.errors import SearchError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.front import BASELINE
from edgeinfer.host.search.report.finish import ENDING_FILE, end_search, winner_run
from edgeinfer.host.search.search import WORK_FOLDER, Search, SearchOptions, make_space
from edgeinfer.host.search.study.file import open_study
from edgeinfer.host.search.worker.process import WorkerProcess
from edgeinfer.host.training.progress import LineProgress
from tests.host.search.examples import ScriptedTimer, entry
from tests.host.search.worker.test_build import run  # noqa: F401 - a fixture


class _Enough(Exception):
    """Ends the search."""


def _steps(names: list[str]) -> Callable[[str], Progress]:
    def step(name: str) -> Progress:
        names.append(name)
        return lambda done, total: None

    return step


@pytest.mark.slow
@pytest.mark.parametrize("points", [99.0, 0.0])
def test_the_test_split_is_used_once_a_winner(
    run: Path,  # noqa: F811
    tmp_path: Path,
    points: float,
) -> None:
    # Nothing else is as accurate: the baseline itself wins where no point may be lost.
    out, budget = tmp_path / "out", Budget(accuracy_points=points)
    options = SearchOptions(budget=budget, time_limit_s=1e6)
    space = make_space(run, None)
    timer = ScriptedTimer({0: 1.5, 1: 1.5, 2: 0.5 if points else 1.5})
    names: list[str] = []
    with (
        open_study(out, options.settings(run), space, budget, seed=0) as study,
        WorkerProcess(out / WORK_FOLDER) as workshop,
    ):
        search = Search(
            run,
            options,
            study,
            space,
            timer=timer,
            workshop=workshop,
            progress=LineProgress(io.StringIO()),
            out=out,
        )

        def tell(trial: Trial) -> None:
            if trial.number == 2:
                raise _Enough

        with pytest.raises(_Enough):
            search.work(tell)
        found = search.found()
        assert found is not None
        winner = found.require_winner()
        assert (winner.number == 2) == bool(points)
        ending = end_search(search.bench, options, study, found, _steps(names))
        assert names.count("evaluate on test, once") == 1
        assert names.count("evaluate the baseline on test") == 1
        assert (ending.test_uses, ending.winner) == (1, winner.number)
        assert end_search(search.bench, options, study, found, _steps(names)) == ending
        assert names.count("evaluate on test, once") == 1
        # Damage, or another winner, and it is done again, and counted.
        (out / ENDING_FILE).write_text("{}")
        assert end_search(search.bench, options, study, found, _steps(names)).test_uses == 2
    with open_bundle(Path(ending.bundle)) as bundle:
        assert bundle.manifest.name == read_trained(run).name
        assert bundle.manifest.metrics["test.int8.top1"] == ending.winner_top1
        # The bundle holds the model that was measured.
        assert bundle.manifest.metrics["validation.int8.top1"] == winner.measured.accuracy
        (variant,) = bundle.manifest.variants.values()
        assert len(bundle.member(variant.file)) == winner.measured.footprint.size_bytes
    assert winner_run(search.bench, entry(BASELINE, 0.5)) == run
    assert winner_run(search.bench, entry(7, 0.5)) == out / "candidates" / "007" / "run"


def test_nothing_is_converted_without_a_winner(tmp_path: Path) -> None:
    from tests.host.search.report.test_report import make_found

    found = make_found(Budget(invoke_ms=0.1))
    with pytest.raises(SearchError, match=r"#2 .*comes nearest: 80\.00 % .*0\.4 ms"):
        found.require_winner()
