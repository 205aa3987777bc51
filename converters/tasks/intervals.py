"""How far a figure of a few pictures may be from that of all; and how two models compare.

Sources: for shares E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", 1927, recommended for small samples by Brown, Cai and DasGupta, "Interval estimation for
a binomial proportion", 2001; for other scores the percentile bootstrap, Efron 1979. For two models
that answered the same pictures: for right and wrong answers A. Agresti and Y. Min, "Simple improved
confidence intervals for comparing matched proportions", 2005, and the test of Q. McNemar, 1947, in
its exact form; for other scores the bootstrap and the sign-flip test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054
"""95 % of a normal distribution is within this many standard deviations."""

RESAMPLES = 2000
JACKKNIFE_GROUPS = 30
_BOOTSTRAP_MOST = 2000
_EXACT_MOST = 1000
"""With more pictures that differ, the binomial distribution is almost normal."""


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
        """Whether chance gives such a large difference in less than one of twenty cases."""
        return self.p_value < 0.05


def mean_interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of a mean score.

    Args:
        scores: (pictures,) 0 to 1; for right and wrong answers 1 and 0.

    Returns:
        Its ends, 0 to 1. Without pictures, the whole range.

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


def wilson(right: float, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of right answers; see the module for its source.

    Answers that are right in part count as that part.

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
    # Rounding may leave the share itself outside if no answer or all answers are right.
    return min(share, max(0.0, centre - spread)), max(share, min(1.0, centre + spread))


def compare_scores(first: NDArray[np.float64], second: NDArray[np.float64]) -> Comparison:
    """Compare two models' scores on the same pictures.

    Args:
        first: (pictures,) 0 to 1.
        second: (pictures,) 0 to 1, in the same order.

    Raises:
        ValueError: the numbers of pictures differ, or there are none.
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
    """Return the two-sided p-value of pictures won and lost, if by chance each is equally likely.

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

    Half a picture is added to each of the four outcomes, because few pictures without a difference
    do not prove that there is none.

    Args:
        better: pictures that only the second answered right.
        worse: pictures that only the first answered right.
        total: all pictures.

    >>> low, high = matched_shares(0, 0, 50)
    >>> round(low, 3), round(high, 3)
    (-0.038, 0.038)
    """
    gained, lost, count = better + 0.5, worse + 0.5, total + 2
    difference = (gained - lost) / count
    variance = (gained + lost - (gained - lost) ** 2 / count) / count**2
    spread, plain = Z_95 * math.sqrt(variance), (better - worse) / total
    # The added pictures may leave the difference itself outside.
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

    The mean of many values is almost normal, which is cheaper to compute.
    """
    if len(values) > _BOOTSTRAP_MOST:
        mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
        return mean - Z_95 * error, mean + Z_95 * error
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def jackknife(
    figure: Callable[[Sequence[int]], NDArray[np.float64]], pictures: int
) -> NDArray[np.float64]:
    """Return the standard error of a figure that is not a mean over pictures.

    The pictures are in groups, and the figure is made again without each of them in turn (J. Shao
    and D. Tu, "The Jackknife and Bootstrap", 1995, section 2.3).

    Args:
        figure: makes the figures (n,) of some pictures, by their places.
        pictures: how many there are.

    Returns:
        (n,) standard errors, of `jackknife_groups` - 1 degrees of freedom; infinite with less than
        two pictures, and for figures that are NaN without one of the groups.
    """
    groups = jackknife_groups(pictures)
    every = np.arange(pictures)
    if groups < 2:
        return np.full(len(figure(every.tolist())), np.inf)
    left = np.array([figure(every[every % groups != out].tolist()) for out in range(groups)])
    away = left - left.mean(axis=0)
    errors = np.sqrt((groups - 1) / groups * (away**2).sum(axis=0))
    return np.where(np.isnan(errors), np.inf, errors)


def jackknife_groups(pictures: int) -> int:
    """Return into how many groups `jackknife` puts pictures."""
    return min(pictures, JACKKNIFE_GROUPS)


def student_95(freedom: int) -> float:
    """Return within how many standard errors 95 % of Student's t distribution is.

    Source: the expansion in M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions",
    26.7.5, good to 0.3 % from 3 degrees of freedom on.

    >>> round(student_95(29), 3)
    2.045
    """
    z, n = Z_95, max(freedom, 1)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3
