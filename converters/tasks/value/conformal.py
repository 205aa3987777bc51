"""The interval of a measured value: split conformal prediction.

The errors on pictures that the model did not learn from are sorted; the interval is as wide as
the one at the place that leaves the wanted share below it. With n pictures that place is
ceil((n + 1) * share), not ceil(n * share): then a further picture of the same kind is inside with
at least that probability, whatever the distribution of the errors is. Source: J. Lei, M. G'Sell,
A. Rinaldo, R. Tibshirani and L. Wasserman, "Distribution-free predictive inference for
regression", 2018; for how much the share varies from one set of n pictures to the next: V. Vovk,
"Conditional validity of inductive conformal predictors", 2012.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.task import Said

COVERAGE = 0.9
"""The share of pictures whose true value is to be in the interval."""

LEAST_PICTURES = math.ceil(COVERAGE / (1 - COVERAGE) - 1e-9)
"""With fewer pictures no interval of that share is known: even the largest error is too small."""

MANY_PICTURES = 400
"""With as many the share is known within 3 percentage points."""


def kept_back(pictures: int) -> slice:
    """Return the validation pictures that only the interval is made of: every second one.

    Where they are few all are used for both, and the interval is a little too narrow.

    >>> list(range(100))[kept_back(100)][:3], list(range(20))[kept_back(20)]
    ([1, 3, 5], [])
    """
    return slice(1, None, 2) if pictures >= 4 * LEAST_PICTURES else slice(0, 0)


def of_interval(pictures: int) -> slice:
    """Return the validation pictures that the interval is made of."""
    part = kept_back(pictures)
    return part if part.stop is None else slice(None)


def half_width(errors: NDArray[np.float64], coverage: float = COVERAGE) -> float | None:
    """Return half the width of the interval, or None where there are too few errors.

    Args:
        errors: (pictures,) without signs, of pictures that the model did not learn from.
        coverage: the share of pictures whose true value is to be inside.

    >>> half_width(np.arange(1.0, 20.0), 0.9)
    18.0
    >>> half_width(np.arange(8.0), 0.9) is None
    True
    """
    place = _place(len(errors), coverage)
    if place > len(errors):
        return None
    return float(np.sort(errors)[place - 1])


def known_within(pictures: int, coverage: float = COVERAGE) -> tuple[float, float]:
    """Return between which shares the interval covers, (low, high), for 95 of 100 such sets.

    The share follows a beta distribution (Vovk); these are its mean and two deviations to each
    side.

    Args:
        pictures: how many errors the interval was made of; at least `LEAST_PICTURES`.
        coverage: the share that was asked for.
    """
    place = _place(pictures, coverage)
    mean = place / (pictures + 1)
    spread = 2 * math.sqrt(mean * (1 - mean) / (pictures + 2))
    return max(0.0, mean - spread), min(1.0, mean + spread)


def interval_notes(said: Said, pictures: int) -> list[str]:
    """Return what people should know of the interval, in one line or none.

    Args:
        said: the description of the outputs, with the interval.
        pictures: how many it was made of; 0 where that is not known.
    """
    if said.value is None or not pictures:
        return []
    if said.value.half_widths is None:
        return [
            f"no interval: {COVERAGE:.0%} cannot be known from {pictures} validation "
            f"picture{'s' * (pictures != 1)}, {LEAST_PICTURES} are needed"
        ]
    if pictures >= MANY_PICTURES:
        return []
    low, high = known_within(pictures)
    return [
        f"the interval comes from {pictures:,} validation pictures: it may cover from {low:.0%} to "
        f"{high:.0%} of further ones; with more pictures it is surer"
    ]


def _place(pictures: int, coverage: float) -> int:
    # 0.9 * 10 is above 9 in binary.
    return math.ceil((pictures + 1) * coverage - 1e-9)
