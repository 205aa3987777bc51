"""How far a figure of a few pictures may be from that of all pictures, and two models on the same.

Sources: for shares E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", 1927, recommended for small samples by Brown, Cai and DasGupta, "Interval estimation for
a binomial proportion", 2001; for other scores the percentile bootstrap, Efron 1979. Of two models
that answered the same pictures, for right and wrong answers A. Agresti and Y. Min, "Simple improved
confidence intervals for comparing matched proportions", 2005, and the test of Q. McNemar, 1947, in
its exact form; for other scores the bootstrap and the sign-flip test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054
"""Of a normal distribution, 95 % lies within so many standard deviations."""

RESAMPLES = 2000
_BOOTSTRAP_MOST = 2000
_EXACT_MOST = 1000
"""Of more pictures that differ, the binomial distribution is as good as normal."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models on the same pictures.

    Attributes:
        difference: the second's mean score less the first's.
        low: the lower end of its 95 % interval.
        high: the upper end.
        p_value: how often chance alone would give so large a difference, 0 to 1.
        better: on how many pictures the second scored higher.
        worse: on how many it scored lower.
    """

    difference: float
    low: float
    high: float
    p_value: float
    better: int
    worse: int

    @property
    def more_than_chance(self) -> bool:
        """Whether chance would give so large a difference less than once in twenty times."""
        return self.p_value < 0.05


def mean_interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of a mean score.

    Args:
        scores: (pictures,) 0 to 1; of right and wrong answers 1 and 0.

    Returns:
        Its ends, 0 to 1. Of no pictures, all that is possible.

    >>> low, high = mean_interval(np.array([1.0] * 9 + [0.0]))
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if not len(scores):
        return 0.0, 1.0
    if np.isin(scores, (0.0, 1.0)).all():
        return wilson(int(scores.sum()), len(scores))
    low, high = _bootstrap(scores)
    return max(0.0, low), min(1.0, high)


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of right answers; see the module for its source.

    Raises:
        ValueError: there are no answers, or more right ones than there are.
    """
    if not 0 <= right <= total or not total:
        raise ValueError(f"{right} right of {total}, expected 0 to all of at least one")
    share, z = right / total, Z_95
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = (
        z
        / (1 + z * z / total)
        * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    )
    # The share itself, where rounding would leave it outside: of none or all right ones.
    return min(share, max(0.0, centre - spread)), max(share, min(1.0, centre + spread))


def compare_scores(first: NDArray[np.float64], second: NDArray[np.float64]) -> Comparison:
    """Compare two models' scores on the same pictures.

    Args:
        first: (pictures,) 0 to 1.
        second: likewise, in the same order.

    Raises:
        ValueError: they are of different numbers of pictures, or of none.
    """
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"scores are {first.shape} and {second.shape}, expected pairs")
    differences = second - first
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    if np.isin(differences, (-1.0, 0.0, 1.0)).all():
        p_value = mcnemar(better, worse)
        low, high = matched_shares(better, worse, len(differences))
    else:
        p_value = _sign_flips(differences)
        low, high = _bootstrap(differences)
    return Comparison(
        difference=float(differences.mean()),
        low=low,
        high=high,
        p_value=p_value,
        better=better,
        worse=worse,
    )


def mcnemar(better: int, worse: int) -> float:
    """Return the two-sided p-value of so many pictures won and lost, by chance alone half each.

    >>> mcnemar(5, 5), round(mcnemar(10, 1), 4)
    (1.0, 0.0117)
    """
    total, least = better + worse, min(better, worse)
    if not total:
        return 1.0
    if total > _EXACT_MOST:
        z = (abs(better - worse) - 1) / math.sqrt(total)
        return math.erfc(max(0.0, z) / math.sqrt(2))
    tail = sum(math.comb(total, i) for i in range(least + 1))
    return float(min(1.0, 2 * tail / 2**total))


def matched_shares(better: int, worse: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares of the same pictures.

    Half a picture is added to each of the four outcomes, so that few pictures without a difference
    are no proof that there is none.

    Args:
        better: pictures that the second alone answered right.
        worse: pictures that the first alone did.
        total: all pictures.

    >>> low, high = matched_shares(0, 0, 50)
    >>> round(low, 3), round(high, 3)
    (-0.038, 0.038)
    """
    gained, lost, count = better + 0.5, worse + 0.5, total + 2
    difference = (gained - lost) / count
    variance = (gained + lost - (gained - lost) ** 2 / count) / count**2
    spread, plain = Z_95 * math.sqrt(variance), (better - worse) / total
    # The difference itself, where the added pictures would leave it outside.
    return min(plain, max(-1.0, difference - spread)), max(plain, min(1.0, difference + spread))


def _sign_flips(differences: NDArray[np.float64]) -> float:
    """Return how often differences of random signs have a mean so far from 0."""
    generator = np.random.default_rng(0)
    observed, reached = abs(differences.mean()), 1
    for _ in range(RESAMPLES):
        signs = generator.integers(0, 2, len(differences)) * 2 - 1
        reached += abs((signs * differences).mean()) >= observed - 1e-12
    return reached / (RESAMPLES + 1)


def _bootstrap(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values, by drawing them again with repetition.

    Of many values the mean is as good as normal, which costs less.
    """
    if len(values) > _BOOTSTRAP_MOST:
        mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
        return mean - Z_95 * error, mean + Z_95 * error
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)
