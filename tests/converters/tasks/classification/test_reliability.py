from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.tasks.classification.reliability import precision_recall, reliability


def test_answers_that_are_as_often_right_as_they_say_have_no_error() -> None:
    certainty = np.array([0.75] * 4 + [0.5] * 2)
    found = reliability(certainty, np.array([1, 1, 1, 0, 1, 0], bool))
    assert found.error == pytest.approx(0.0)
    assert found.counts.tolist() == [2, 4]
    assert found.right.tolist() == [1, 3]


def test_the_error_is_the_mean_distance_weighted_by_the_answers() -> None:
    certainty = np.array([0.95, 0.95, 0.95, 0.55])
    found = reliability(certainty, np.array([1, 0, 0, 1], bool))
    # |3 * 0.95 - 1| + |0.55 - 1| of four answers.
    assert found.error == pytest.approx((1.85 + 0.45) / 4)


def test_few_answers_show_an_error_by_chance_alone() -> None:
    few = reliability(np.full(10, 0.7), np.ones(10, bool)).by_chance
    many = reliability(np.full(10_000, 0.7), np.ones(10_000, bool)).by_chance
    assert few > 0.05 > 0.01 > many


def test_certainty_one_is_in_the_last_range() -> None:
    assert reliability(np.array([1.0, 0.0]), np.array([True, False])).counts.tolist() == [1, 1]


def test_average_precision_of_a_known_order() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    found = precision_recall(scores, np.array([True, False, True, False]))
    assert found is not None
    assert found.average == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)
    assert found.recall.tolist() == [0.5, 0.5, 1.0, 1.0]


def test_equal_scores_are_one_threshold() -> None:
    found = precision_recall(np.full(4, 0.5), np.array([True, False, False, False]))
    assert found is not None
    assert (found.recall.tolist(), found.precision.tolist()) == ([1.0], [0.25])


def test_a_class_without_pictures_has_no_curve() -> None:
    assert precision_recall(np.array([0.5]), np.array([False])) is None
