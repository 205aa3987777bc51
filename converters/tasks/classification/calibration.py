"""Probabilities that mean what they say: one temperature for all logits, and how far they are off.

Sources: for the temperature and the error Guo et al. 2017, "On Calibration of Modern Neural
Networks"; for targets that leave room for errors not yet seen Platt 1999, "Probabilistic outputs
for support vector machines".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15
"""Of equal width, as in the source."""

_LOWEST, _HIGHEST = 0.2, 5.0
"""Temperatures outside say that the model is broken, not that its probabilities are off."""

_DEVIANCE_95 = 3.841
"""The 95 % point of chi-squared with one degree of freedom, as one number is fitted."""

_STEPS = 60
_DIGITS = 4


def fit_temperature(logs: Floats, truths: NDArray[np.int64]) -> float | None:
    """Return the temperature that makes the true classes most likely, or None to change nothing.

    Nothing is changed where pictures are so few, or 1 is so near, that chance may explain the gain.
    A model without an error on n pictures is taken to be right in n + 1 of n + 2, so that the
    temperature stays above 0.

    Args:
        logs: (pictures, classes) logits, or logarithms of probabilities, at temperature 1.
        truths: (pictures,) the true classes.
    """
    if not len(logs) or not np.isfinite(logs).all():
        return None
    low, high = 1 / _HIGHEST, 1 / _LOWEST
    # The loss is convex in the inverse of the temperature.
    for _ in range(_STEPS):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        if _loss(logs, truths, first) <= _loss(logs, truths, second):
            high = second
        else:
            low = first
    temperature = round(2 / (low + high), _DIGITS)
    gain = _loss(logs, truths, 1.0) - _loss(logs, truths, 1 / temperature)
    return temperature if 2 * gain > _DEVIANCE_95 else None


def calibration_error(certainties: Floats, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error, 0 to 1: how far certainty is from being right.

    Args:
        certainties: (pictures,) the probability of each best class.
        right: (pictures,) whether it is the true one.

    >>> calibration_error(np.array([0.9] * 10), np.array([True] * 9 + [False])) < 1e-12
    True
    """
    if not len(certainties):
        return 0.0
    bins = np.minimum((certainties * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=certainties - right, minlength=BINS)
    return float(np.abs(gaps).sum()) / len(certainties)


def least_certainty(certainties: Floats, right: NDArray[np.bool_], share: float) -> float | None:
    """Return the highest threshold below which at most `share` of the right answers are.

    None without a right answer.

    Args:
        certainties: (pictures,) the probability of each best class.
        right: (pictures,) whether it is the true one.
        share: 0 to below 1.

    >>> least_certainty(np.array([0.5, 0.7, 0.8, 0.9]), np.array([False, True, True, True]), 0.4)
    0.8
    """
    sure = np.sort(certainties[right])
    if not len(sure):
        return None
    # Rounded down, so that the answer at the threshold itself stays.
    return math.floor(float(sure[int(share * len(sure))]) * 1e4) / 1e4


def with_temperature(logs: Floats, temperature: float) -> Floats:
    """Return probabilities, (pictures, classes), of logits at another temperature."""
    values = logs / temperature
    values = np.exp(values - values.max(axis=1, keepdims=True))
    result: Floats = values / values.sum(axis=1, keepdims=True)
    return result


def _loss(logs: Floats, truths: NDArray[np.int64], inverse: float) -> float:
    """Return the summed cross-entropy against targets that leave room for errors."""
    count, classes = logs.shape
    values = logs * inverse
    values = values - values.max(axis=1, keepdims=True)
    values = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    wrong = 1 / (count + 2)
    true = values[np.arange(count), truths]
    others = (values.sum(axis=1) - true) / max(1, classes - 1)
    return -float(((1 - wrong) * true + wrong * others).sum())
