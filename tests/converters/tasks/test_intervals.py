"""Intervals cover what they promise, by simulation; tests of pairs find what is there alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.tasks.intervals import (
    JACKKNIFE_GROUPS,
    compare_scores,
    jackknife,
    matched_shares,
    mcnemar,
    mean_interval,
    student_95,
    wilson,
)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_shares_have_the_published_intervals(
    right: int, total: int, low: float, high: float
) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000), st.data())
def test_the_interval_holds_the_share_and_stays_within_0_and_1(
    total: int, data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, total))
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    mirrored = wilson(total - right, total)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-12)


@pytest.mark.parametrize("total", [30, 100, 700])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_of_right_and_wrong_answers_nineteen_intervals_of_twenty_hold_the_truth(
    total: int, share: float
) -> None:
    generator = np.random.default_rng(1)
    rights = generator.binomial(total, share, 4000)
    held = np.mean([low <= share <= high for low, high in (wilson(r, total) for r in rights)])
    assert 0.92 < held < 0.985


def test_of_other_scores_too() -> None:
    generator = np.random.default_rng(2)
    drawn = generator.beta(4, 1, (300, 60))  # mean 0.8
    held = np.mean([low <= 0.8 <= high for low, high in map(mean_interval, drawn)])
    assert 0.90 < held < 0.985


@pytest.mark.parametrize("total", [30, 100, 700])
@pytest.mark.parametrize(("better", "worse"), [(0.01, 0.02), (0.05, 0.05), (0.02, 0.12)])
def test_of_two_models_nineteen_intervals_of_twenty_hold_the_true_difference(
    total: int, better: float, worse: float
) -> None:
    generator = np.random.default_rng(5)
    drawn = generator.multinomial(total, [better, worse, 1 - better - worse], 4000)
    found = (matched_shares(int(b), int(w), total) for b, w, _ in drawn)
    held = np.mean([low <= better - worse <= high for low, high in found])
    assert 0.93 < held <= 1


def test_without_pictures_nothing_is_known() -> None:
    assert mean_interval(np.zeros(0)) == (0.0, 1.0)
    with pytest.raises(ValueError, match="expected 0 to all of at least one"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="expected pairs"):
        compare_scores(np.zeros(3), np.zeros(4))


def test_equal_models_differ_by_chance_as_often_as_is_said() -> None:
    generator = np.random.default_rng(3)
    found = 0
    for _ in range(400):
        hard = generator.random(200) < 0.2
        first, second = (np.where(hard, generator.random(200) < 0.5, 1.0) for _ in range(2))
        found += compare_scores(first.astype(float), second.astype(float)).more_than_chance
    assert found / 400 < 0.06


def test_a_difference_that_is_there_is_found_with_its_interval() -> None:
    generator = np.random.default_rng(4)
    first = (generator.random(1000) < 0.90).astype(float)
    lost = generator.random(1000) < 0.05
    comparison = compare_scores(first, np.where(lost, 0.0, first))
    assert comparison.more_than_chance
    assert comparison.better == 0
    assert comparison.low < comparison.difference < comparison.high < 0
    scores = generator.beta(4, 1, 500)
    assert compare_scores(scores, scores * 0.97).more_than_chance
    assert not compare_scores(scores, scores).more_than_chance


@pytest.mark.parametrize(
    ("better", "worse", "p_value"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (0, 5, 0.0625),
        (0, 6, 0.03125),
        (8, 2, 0.109375),
        (550, 450, 0.0017),
    ],
)
def test_won_and_lost_pictures(better: int, worse: int, p_value: float) -> None:
    assert mcnemar(better, worse) == pytest.approx(p_value, rel=0.02)
    assert mcnemar(worse, better) == mcnemar(better, worse)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).random(JACKKNIFE_GROUPS)
    (error,) = jackknife(lambda places: values[list(places)].mean(keepdims=True), len(values))
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)))


def test_the_jackknife_of_groups_is_near_that_of_pictures() -> None:
    values = np.random.default_rng(1).random(1000)
    (error,) = jackknife(lambda places: values[list(places)].mean(keepdims=True), len(values))
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)), rel=0.4)


def test_one_picture_has_no_standard_error() -> None:
    assert np.isinf(jackknife(lambda places: np.array([float(len(places))]), 1)).all()


@pytest.mark.parametrize(("freedom", "expected"), [(4, 2.776), (9, 2.262), (29, 2.045)])
def test_students_distribution(freedom: int, expected: float) -> None:
    assert student_95(freedom) == pytest.approx(expected, rel=0.003)
