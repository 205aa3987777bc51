"""What a loss says of a budget: kept, broken, or too few pictures to tell."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.measure.loss import Loss, loss_of


@pytest.mark.parametrize(
    ("low", "budget", "contradicts"),
    [(1.2, 1.0, True), (0.8, 1.0, False), (5.0, None, False), (-3.0, 0.0, False)],
)
def test_only_a_loss_beyond_the_interval_contradicts_a_budget(
    low: float, budget: float | None, contradicts: bool
) -> None:
    loss = Loss(points=low + 1, low=low, high=low + 2)
    assert loss.contradicts(budget) is contradicts


@pytest.mark.parametrize(
    ("low", "high", "budget", "is_open"),
    [(-1, 0.9, 1.0, False), (-1, 1.1, 1.0, True), (1.1, 3, 1.0, False), (-1, 2, None, False)],
)
def test_a_budget_within_the_interval_is_left_open(
    low: float, high: float, budget: float | None, is_open: bool
) -> None:
    assert Loss(points=(low + high) / 2, low=low, high=high).leaves_open(budget) is is_open


def test_a_model_that_answers_the_same_on_few_pictures_proves_little() -> None:
    right = np.array([1.0] * 27 + [0.0] * 3)
    assert loss_of(right, right).leaves_open(1.0)
    assert not loss_of(np.tile(right, 40), np.tile(right, 40)).leaves_open(1.0)


def test_a_loss_of_zero_has_no_sign() -> None:
    right = np.ones(100)
    assert loss_of(right, right).text().startswith("0.00 points (-")
    assert Loss(points=-0.001, low=-0.004, high=0.5).text() == "0.00 points (0.00 to 0.50)"
