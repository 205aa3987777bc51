"""How far a classifier's probabilities may be believed, and what a threshold gives.

Sources: reliability diagrams and the expected calibration error as in C. Guo, G. Pleiss, Y. Sun and
K. Weinberger, "On calibration of modern neural networks", 2017; average precision as the sum of
precisions weighted by the gain of recall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10
_DRAWS = 200
_DRAWN_MOST = 20_000


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Answers in ranges of their probability; ranges without answers are left out.

    Attributes:
        counts: (ranges,) the answers in each.
        certainty: (ranges,) their mean probability.
        right: (ranges,) the right ones among them.
        error: the expected calibration error, 0 to 1.
        by_chance: the error that as few answers would show if every probability were true.
    """

    counts: NDArray[np.int64]
    certainty: Floats
    right: NDArray[np.int64]
    error: float
    by_chance: float


def reliability(certainty: Floats, right: NDArray[np.bool_]) -> Reliability:
    """Return how often answers of each certainty are right.

    Args:
        certainty: (answers,) the probability of each answer, 0 to 1; at least one.
        right: (answers,) whether it is right.
    """
    places = np.minimum((certainty * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    there = counts > 0
    sums = np.bincount(places, weights=certainty, minlength=BINS)
    rights = np.bincount(places, weights=right, minlength=BINS)
    generator = np.random.default_rng(0)
    few = certainty[:_DRAWN_MOST]
    drawn = [
        _error(sums, np.bincount(places[: len(few)], weights=won, minlength=BINS), len(certainty))
        for won in (generator.random((_DRAWS, len(few))) < few)
    ]
    return Reliability(
        counts=counts[there],
        certainty=sums[there] / counts[there],
        right=rights[there].astype(np.int64),
        error=_error(sums, rights, len(certainty)),
        by_chance=float(np.mean(drawn)) if len(few) == len(certainty) else float("nan"),
    )


def _error(certainty_sums: NDArray[Any], rights: NDArray[Any], count: int) -> float:
    return float(np.abs(certainty_sums - rights).sum()) / count


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Precision against recall, over all thresholds.

    Attributes:
        recall: (points,) rising.
        precision: (points,).
        average: the average precision, 0 to 1.
    """

    recall: Floats
    precision: Floats
    average: float


def precision_recall(scores: Floats, true: NDArray[np.bool_]) -> Curve | None:
    """Return the curve of scores, (n,), for what is true, (n,); None where nothing is."""
    total = int(true.sum())
    if not total:
        return None
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(true[order])
    # Equal scores are one threshold, so only the last of them is a point.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    recall, precision = found[last] / total, found[last] / (last + 1)
    average = float((np.diff(recall, prepend=0.0) * precision).sum())
    return Curve(recall=recall, precision=precision, average=average)
