"""Two models' readings: they agree where they differ by little of what the readings vary by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.value.evaluation import differences
from edgeinfer.device.tasks.spec.value import Scaling

TOLERANCE = 0.05
"""Readings agree within this share of the spread of the other model's: from the lowest to the
highest on the pictures, or of the circle. So the rule needs no unit, and a model that always reads
the same does not pass."""


class Compared(NamedTuple):
    """What two models read from one picture, (values,) each."""

    truth: NDArray[np.float64]
    answer: NDArray[np.float64]


def near_evaluation(
    outcomes: Sequence[Compared], scalings: Sequence[Scaling], score_name: str
) -> Evaluation:
    """Return the share of values that are near the other model's, for each picture.

    Of several values one that is the same on all pictures is left out.
    """
    true = np.array([one.truth for one in outcomes], np.float64).reshape(-1, len(scalings))
    answers = np.array([one.answer for one in outcomes], np.float64).reshape(-1, len(scalings))
    # Values that are not numbers have no spread, and are near to nothing.
    with np.errstate(invalid="ignore"):
        spread = np.ptp(true, axis=0) if len(true) else np.zeros(true.shape[1])
        turns = np.array([one.period or np.inf for one in scalings])
        spread = np.where(np.isfinite(turns) & (spread != 0), turns, spread)
        near = np.abs(differences(answers, true, scalings)) <= TOLERANCE * spread
    if (spread != 0).any():
        near = near[:, spread != 0]
    return Evaluation(
        scores=near.mean(axis=1),
        groups=np.zeros(len(true), np.int64),
        group_names=("all",),
        score_name=score_name,
    )
