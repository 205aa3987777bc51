"""The front, the winner, the nearest, and the expected accuracy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.front import (
    BASELINE,
    Entry,
    better_known,
    choose_winner,
    entries,
    hopeful_accuracy,
    nearest,
    pareto_front,
    standard_error,
)
from tests.host.search.examples import SIZE, baseline, entry, footprint, pruned, student, trial

figures = st.tuples(
    st.integers(0, 6).map(lambda n: n / 6),
    st.integers(1, 6).map(lambda n: n / 6),
    st.integers(1, 4),
)


@given(st.lists(figures, min_size=1, max_size=12))
def test_the_front_is_what_nothing_dominates(rows: list[tuple[float, float, int]]) -> None:
    models = [entry(number, *row) for number, row in enumerate(rows)]
    front = pareto_front(models)
    for model in front:
        assert not any(other.dominates(model) for other in models)
    for model in models:
        goals = [(m.measured.accuracy, m.measured.footprint) for m in front]
        assert (model.measured.accuracy, model.measured.footprint) in goals or any(
            other.dominates(model) for other in front
        )
    ratios = [model.measured.footprint.ratio for model in front]
    assert ratios == sorted(ratios)


def test_the_first_of_equals_stays() -> None:
    models = [entry(0, 0.8), entry(1, 0.8)]
    assert [model.number for model in pareto_front(models)] == [0]


def test_the_baseline_can_win() -> None:
    models = entries(baseline(), SIZE, [trial(0, pruned(), 0.8)])
    assert [model.number for model in models] == [BASELINE, 0]
    assert [model.title for model in models] == ["baseline", "#0"]
    nothing_faster_keeps_it = Budget(accuracy_points=1)
    assert choose_winner(models, nothing_faster_keeps_it, baseline()) == models[0]


def test_the_winner_depends_on_what_is_asked() -> None:
    models = [entry(0, 0.95, 1.0, 90_000), entry(1, 0.90, 0.4, 60_000), entry(2, 0.80, 0.1, 20_000)]

    def winner(budget: Budget) -> int | None:
        chosen = choose_winner(models, budget, baseline())
        return None if chosen is None else chosen.number

    assert winner(Budget(accuracy_points=1)) == 1
    assert winner(Budget(accuracy_points=20)) == 2
    assert winner(Budget(invoke_ms=1.0)) == 1  # 0.4 of the baseline's 2 ms; #0 takes 2
    assert winner(Budget(size_kb=30)) == 2
    assert winner(Budget(accuracy_points=1, size_kb=30)) is None


def test_equal_times_leave_the_choice_to_accuracy() -> None:
    models = [entry(0, 0.90, 0.501), entry(1, 0.92, 0.504)]
    chosen = choose_winner(models, Budget(accuracy_points=5), baseline())
    assert chosen is not None
    assert chosen.number == 1


def test_the_nearest_breaks_the_budget_least() -> None:
    models = [entry(0, 0.89, 1.0), entry(1, 0.70, 0.2)]
    budget = Budget(accuracy_points=0.5, invoke_ms=1.9)
    assert choose_winner(models, budget, baseline()) is None
    assert nearest(models, budget, baseline()).number == 0


def test_a_standard_error_is_never_zero() -> None:
    assert standard_error(0.5, 100) == pytest.approx(0.05)
    assert 0 < standard_error(1.0, 100) < 0.01
    assert standard_error(0.0, 100) == pytest.approx(standard_error(1.0, 100))


def _entry_of(number: int, candidate: object, accuracy: float) -> Entry:
    return replace(entry(number, accuracy), candidate=candidate)  # type: ignore[arg-type]


def test_a_smaller_model_is_expected_to_be_as_good() -> None:
    models = [_entry_of(0, student(0.5), 0.7)]
    hope, why = hopeful_accuracy(student(0.25), models, baseline())
    assert hope == pytest.approx(0.7 + 2 * standard_error(0.7, 1000))
    assert why == models[0]
    hope, why = hopeful_accuracy(student(0.75), models, baseline())
    assert (hope, why) == (0.9, None)  # as the float model
    models.append(_entry_of(1, pruned(), 0.93))
    assert hopeful_accuracy(student(0.75), models, baseline()) == (0.93, None)


def test_a_model_that_is_better_and_never_worse_is_found() -> None:
    models = [entry(0, 0.9, 0.5, 50_000)]
    assert better_known(footprint(0.6, 60_000), 0.9, models) == models[0]
    assert better_known(footprint(0.4, 60_000), 0.9, models) is None
    assert better_known(footprint(0.6, 40_000), 0.9, models) is None
    assert better_known(footprint(0.6, 60_000), 0.91, models) is None
