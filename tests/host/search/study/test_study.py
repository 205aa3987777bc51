"""The study survives being killed at any moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Trial
from edgeinfer.host.search.space import Space, space_of
from tests.host.search.examples import baseline, make_run, measured, opened_study, pruned
from tests.support.checkout import ROOT


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    return space_of(read_trained(make_run(tmp_path_factory.mktemp("study") / "run")), None)


def _measured(number: int, space: Space, accuracy: float = 0.8) -> Trial:
    return Trial(
        number=number,
        candidate=space.first()[0],
        outcome="measured",
        measured=measured(accuracy),
        epochs=1,
    )


def test_the_first_candidates_come_in_their_order_and_once(tmp_path: Path, space: Space) -> None:
    with opened_study(tmp_path / "out", space) as study:
        study.set_baseline(baseline())
        study.enqueue(space.first()[:2])
        asked = study.ask()
        assert (asked.number, asked.candidate) == (0, space.first()[0])
        study.tell(_measured(0, space), baseline())
    with opened_study(tmp_path / "out", space) as study:
        study.enqueue(space.first()[:2])
        assert [trial.number for trial in study.trials()] == [0]
        assert study.ask().candidate == space.first()[1]
        study.interrupt(1)
        # What was interrupted comes before what was not begun.
        study.enqueue(space.first()[:3])
        assert study.ask().candidate == space.first()[1]
        assert study.ask().candidate == space.first()[2]


def test_a_sampler_goes_on_after_them(tmp_path: Path, space: Space) -> None:
    seen = set()
    with opened_study(tmp_path / "out", space) as study:
        study.set_baseline(baseline())
        for number in range(14):
            asked = study.ask()
            seen.add(asked.candidate)
            figures = measured(0.5 + number / 50, 1 / (number + 1), 1000 * (number + 1))
            trial = Trial(
                number=number, candidate=asked.candidate, outcome="measured", measured=figures
            )
            study.tell(trial, baseline())
        assert len(study.trials()) == 14
    assert len(seen) > 7


def test_a_sampler_learns_from_the_first_candidates(tmp_path: Path, space: Space) -> None:
    """Optuna writes down a trial's parameters as they are asked for, lined up or not."""
    with opened_study(tmp_path / "out", space) as study:
        study.set_baseline(baseline())
        study.enqueue((*space.plain(), *space.first()))
        for number in range(len(space.plain()) + len(space.first())):
            candidate = study.ask().candidate
            figures = measured(0.8)
            study.tell(
                Trial(number=number, candidate=candidate, outcome="measured", measured=figures),
                baseline(),
            )
        finished = optuna.trial.TrialState.COMPLETE
        told = [record.params for record in study._study.get_trials(states=(finished,))]
    assert told == [space.parameters(candidate) for candidate in space.first()]


def test_the_time_and_the_uses_of_the_test_split_are_kept(tmp_path: Path, space: Space) -> None:
    with opened_study(tmp_path / "out", space) as study:
        assert (study.baseline(), study.spent_s, study.test_uses) == (None, 0.0, 0)
        study.set_baseline(baseline())
        study.set_spent(12.3456)
        study.count_test_use()
    with opened_study(tmp_path / "out", space) as study:
        assert study.baseline() == baseline()
        assert (study.spent_s, study.test_uses) == (12.346, 1)


def test_a_retry_is_asked_again_when_there_is_more_time(tmp_path: Path, space: Space) -> None:
    with opened_study(tmp_path / "out", space) as study:
        study.set_baseline(baseline())
        study.enqueue(space.first()[:1])
        asked = study.ask()
        late = Trial(
            number=0, candidate=asked.candidate, outcome="not trained", reason="late", retry=True
        )
        study.tell(late, baseline())
        assert study.same(asked.candidate, 99) is None
        study.enqueue(space.first()[:1])
        assert study.ask().candidate == asked.candidate


def test_what_an_earlier_version_left_interrupted_is_tried_again(
    tmp_path: Path, space: Space
) -> None:
    with opened_study(tmp_path / "out", space) as study:
        study.enqueue(space.first()[:1])
        study._study.tell(study.ask().number, state=optuna.trial.TrialState.FAIL)
    with opened_study(tmp_path / "out", space) as study:
        study.enqueue(space.first()[:2])
        assert [study.ask().candidate for _ in range(2)] == list(space.first()[:2])


@pytest.mark.parametrize("moment", ["asked", "judged", "written"])
def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path, space: Space, moment: str) -> None:
    out = tmp_path / "out"
    with opened_study(out, space) as study:
        study.set_baseline(baseline())
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.host.search.study.test_study import _measured
from tests.host.search.examples import baseline, make_run, opened_study
from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.host.search.space import space_of
space = space_of(read_trained(make_run(Path({str(tmp_path / "again")!r}))), None)
with opened_study(Path({str(out)!r}), space) as study:
    study.enqueue(space.first()[:2])
    asked = study.ask()
    if {moment!r} == "judged":
        study._open[asked.number].set_user_attr = lambda *rest: os.kill(os.getpid(), 9)
        study.tell(_measured(asked.number, space, 0.77), baseline())
    if {moment!r} == "written":
        study._conclude = lambda *rest: os.kill(os.getpid(), 9)
        study.tell(_measured(asked.number, space, 0.77), baseline())
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with opened_study(out, space) as study:
        study.enqueue(space.first()[:2])
        figures = [t.measured.accuracy for t in study.trials() if t.measured is not None]
        assert figures == ([0.77] if moment == "written" else [])
        # What was in work comes again, what was done does not.
        coming = [study.ask().candidate, study.ask().candidate]
        left = space.first()[1:2] if moment == "written" else space.first()[:2]
        assert set(left) <= set(coming)
        assert (space.first()[0] in coming) == (moment != "written")
        study.tell(_measured(2 if moment == "written" else 1, space), baseline())


def test_the_same_candidate_is_found(tmp_path: Path, space: Space) -> None:
    with opened_study(tmp_path / "out", space) as study:
        study.set_baseline(baseline())
        study.enqueue(space.first()[:1])
        asked = study.ask()
        study.tell(_measured(0, space), baseline())
        same = study.same(asked.candidate, 5)
        assert same is not None
        assert same.number == 0
        assert study.same(asked.candidate, 0) is None
        assert study.same(pruned(0.2), 5) is None


def test_a_size_budget_is_a_third_goal(tmp_path: Path, space: Space) -> None:
    budget = Budget(size_kb=60)
    with opened_study(tmp_path / "out", space, budget) as study:
        study.set_baseline(baseline())
        study.enqueue(space.first()[:1])
        study.ask()
        study.tell(_measured(0, space), baseline())
        assert len(study.trials()) == 1
        assert study.ask().number == 1
