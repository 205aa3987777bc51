"""The loop: time first, training last, nothing lost."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.device.core.errors import (
    ModelError,
    SearchError,
    StorageError,
    TrainingError,
    UnreachableError,
)
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Candidate, Trial
from edgeinfer.host.search.front import BASELINE
from edgeinfer.host.search.search import Search, SearchOptions, make_space
from edgeinfer.host.search.space import Space
from edgeinfer.host.search.study.file import open_study
from edgeinfer.host.search.worker.job import Job
from tests.host.search.examples import CopyingWorkshop, ScriptedTimer, make_run

PLAIN = 2
"""How many plain candidates come first."""


class _Enough(Exception):
    """Ends a test's search."""


@dataclass
class Setup:
    """A run, and what a search of it left."""

    run: Path
    out: Path

    @contextmanager
    def search(
        self,
        workshop: CopyingWorkshop | None = None,
        timer: ScriptedTimer | None = None,
        *,
        budget: Budget | None = None,
        limit_s: float = 1e6,
        max_candidates: int | None = None,
    ) -> Iterator[Search]:
        options = SearchOptions(
            budget=budget or Budget(accuracy_points=5),
            time_limit_s=limit_s,
            max_candidates=max_candidates,
        )
        space = make_space(self.run, None)
        settings = options.settings(self.run)
        with open_study(self.out, settings, space, options.budget, seed=0) as study:
            yield Search(
                self.run,
                options,
                study,
                space,
                timer=timer or ScriptedTimer(),
                workshop=workshop or CopyingWorkshop(),
                progress=LineProgress(io.StringIO()),
                out=self.out,
            )

    @property
    def space(self) -> Space:
        return make_space(self.run, None)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(make_run(tmp_path / "clothes"), tmp_path / "out")


def _until(count: int, trials: list[Trial]) -> object:
    """Return what receives the trials and ends the search after this many."""

    def tell(trial: Trial) -> None:
        trials.append(trial)
        if len(trials) >= count:
            raise _Enough

    return tell


def _work(search: Search, count: int) -> list[Trial]:
    trials: list[Trial] = []
    with pytest.raises(_Enough):
        search.work(_until(count, trials))  # type: ignore[arg-type]
    return trials


def test_the_first_ideas_are_tried_in_their_order(setup: Setup) -> None:
    with setup.search() as search:
        trials = _work(search, PLAIN + 2)
        found = search.found()
    assert [trial.candidate for trial in trials] == [
        *setup.space.plain(),
        *setup.space.first()[:2],
    ]
    assert all(trial.outcome == "measured" for trial in trials)
    assert found is not None
    assert [model.number for model in found.models] == [BASELINE, 0, 1, 2, 3]
    assert found.baseline.measured.footprint.ratio == 1
    assert found.winner is not None
    assert found.winner.number == 3
    assert 0.5 < found.winner.measured.accuracy <= 1
    assert (setup.out / "candidates" / "002" / "clothes" / "trained.json").is_file()


def test_only_as_many_candidates_as_asked_for_are_tried_over_all_starts(setup: Setup) -> None:
    tried: list[int] = []
    for most, expected in ((2, [0, 1]), (2, [0, 1]), (3, [0, 1, 2])):
        with setup.search(max_candidates=most) as search:
            search.work(lambda trial: tried.append(trial.number))
        assert tried == expected


def test_what_is_too_slow_is_not_trained(setup: Setup) -> None:
    workshop, timer = CopyingWorkshop(), ScriptedTimer({2: 0.8, 3: 0.5})
    with setup.search(workshop, timer, budget=Budget(invoke_ms=1.5)) as search:
        trials = _work(search, PLAIN + 2)
    slow = trials[PLAIN]
    assert (slow.outcome, slow.reason) == ("not trained", "1.6 ms is more than 1.5")
    assert slow.footprint is not None
    assert slow.measured is None
    assert workshop.trained() == [setup.space.first()[1]]
    assert not (setup.out / "candidates" / "002").exists()


def test_what_is_too_large_is_not_trained(setup: Setup) -> None:
    workshop = CopyingWorkshop()
    with setup.search(workshop, budget=Budget(size_kb=10)) as search:
        trials = _work(search, PLAIN + 1)
        found = search.found()
    assert "kB is more than 10" in trials[PLAIN].reason
    assert workshop.trained() == []
    assert found is not None
    with pytest.raises(SearchError, match="no candidate keeps the budget; baseline"):
        found.require_winner()


def test_a_candidate_that_cannot_win_is_not_trained(setup: Setup) -> None:
    workshop, timer = CopyingWorkshop(), ScriptedTimer({2: 0.3, 3: 0.4})
    with setup.search(workshop, timer) as search:
        trials = _work(search, PLAIN + 2)
    assert trials[PLAIN + 1].reason == "slower and larger than #2, and hardly more accurate"
    assert len(workshop.trained()) == 1


def test_a_candidate_smaller_than_a_bad_one_is_not_trained(setup: Setup) -> None:
    workshop = CopyingWorkshop(bad=lambda candidate: candidate.kind == "pruned")
    timer = ScriptedTimer({4: 0.2})
    with setup.search(workshop, timer) as search:
        trials = _work(search, PLAIN + 3)
    figures = trials[PLAIN].measured
    assert figures is not None
    assert figures.accuracy < 0.5
    half, third = setup.space.first()[0], setup.space.first()[2]
    assert half.covers(third)
    assert trials[PLAIN + 2].reason.startswith("#2, which has more of everything, reached")


def test_nothing_is_trained_that_would_not_end_in_time(setup: Setup) -> None:
    workshop = CopyingWorkshop()
    trials: list[Trial] = []
    with setup.search(workshop, limit_s=3) as search:
        search.work(trials.append)
    assert {trial.outcome for trial in trials[PLAIN:]} == {"not trained"}
    assert all(trial.retry and "s are left" in trial.reason for trial in trials[PLAIN:])
    assert workshop.trained() == []
    # More time, and they come again.
    with setup.search(workshop, limit_s=1e6) as search:
        again = _work(search, 1)
    assert again[0].candidate == setup.space.first()[0]
    assert again[0].outcome == "measured"


def test_a_candidate_that_fails_does_not_end_the_search(setup: Setup) -> None:
    def fails(job: Job) -> BaseException | None:
        if job.candidate.kind == "pruned" and job.action == "train":
            return TrainingError("training", got="the loss became nan")
        return None

    with setup.search(CopyingWorkshop(failing=fails)) as search:
        trials = _work(search, PLAIN + 2)
    assert (trials[PLAIN].outcome, trials[PLAIN].reason) == (
        "failed",
        "training: the loss became nan",
    )
    assert trials[PLAIN + 1].outcome == "measured"


def test_when_everything_fails_the_search_ends(setup: Setup) -> None:
    def fails(job: Job) -> BaseException | None:
        wanted = job.candidate.kind != "plain"
        return TrainingError("training", got="there is no memory") if wanted else None

    with (
        setup.search(CopyingWorkshop(failing=fails)) as search,
        pytest.raises(SearchError, match=r"candidates failed .*there is no memory"),
    ):
        search.work(lambda trial: None)


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("pi@cam", got="cannot be reached: it does not answer"),
        StorageError("out", got="cannot be written (no space left on device)"),
        KeyboardInterrupt(),
    ],
)
def test_an_error_that_ends_the_search_keeps_everything(setup: Setup, error: BaseException) -> None:
    def fails(job: Job) -> BaseException | None:
        return error if job.candidate == setup.space.first()[1] else None

    with (
        setup.search(CopyingWorkshop(failing=fails)) as search,
        pytest.raises(type(error)),
    ):
        search.work(lambda trial: None)
    assert not (setup.out / "candidates" / "003").exists()
    with setup.search() as search:
        trials = _work(search, 1)
        found = search.found()
    assert trials[0].candidate == setup.space.first()[1]
    assert found is not None
    assert [trial.number for trial in found.trials] == [0, 1, 2, trials[0].number]


def test_what_a_kill_left_half_done_is_removed(setup: Setup) -> None:
    with setup.search() as search:
        _work(search, PLAIN + 1)
    half = setup.out / "candidates" / "077"
    half.mkdir()
    (half / "untrained.keras").write_bytes(b"half")
    with setup.search() as search:
        _work(search, 1)
    assert not half.exists()
    assert (setup.out / "candidates" / "002" / "clothes").is_dir()


def test_the_time_counts_over_restarts(setup: Setup) -> None:
    with setup.search() as search:
        _work(search, PLAIN + 1)
        before = search.clock.spent_s
    with setup.search() as search:
        assert search.clock.spent_s == pytest.approx(before, abs=1)
        search.clock._before = 2e6
        search.clock.keep()
    with setup.search() as search:
        search.work(lambda trial: pytest.fail("there is no time left"))


def test_a_retrained_run_is_another_search(setup: Setup) -> None:
    with setup.search() as search:
        _work(search, 1)
    (setup.run / "model.keras").write_bytes(b"trained again")
    with pytest.raises(Exception, match="the model in RUN"), setup.search():
        pass


def test_a_run_without_a_test_split_is_refused(setup: Setup) -> None:
    table = setup.run / "samples.csv"
    lines = [line for line in table.read_text().splitlines() if not line.startswith("test,")]
    table.write_text("\n".join(lines) + "\n")
    with pytest.raises(ModelError, match="has no test samples"), setup.search():
        pass


def test_a_repeated_candidate_costs_nothing(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    only = replace(setup.space.first()[0])
    workshop = CopyingWorkshop()

    def always(space: Space, ask: object) -> Candidate:
        return only

    monkeypatch.setattr(Space, "suggest", always)
    monkeypatch.setattr(Space, "first", lambda space: (only,))
    trials: list[Trial] = []
    with setup.search(workshop) as search:
        search.work(trials.append)  # ends, for nothing is left
    assert len(workshop.trained()) == 1
    assert len(trials) == PLAIN + 1


def test_a_candidate_that_was_too_long_is_not_built_again_before_there_is_more_time(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = setup.space.first()[0]
    workshop = CopyingWorkshop()
    monkeypatch.setattr(Space, "suggest", lambda space, ask: only)
    monkeypatch.setattr(Space, "first", lambda space: (only,))
    trials: list[Trial] = []
    with setup.search(workshop, limit_s=3) as search:
        search.work(trials.append)
    assert trials[PLAIN].retry
    assert len(trials) == PLAIN + 1
    assert [job.action for job in workshop.jobs if job.candidate == only] == ["build"]
    with setup.search(workshop, limit_s=1e6) as search:
        assert _work(search, 1)[0].outcome == "measured"
