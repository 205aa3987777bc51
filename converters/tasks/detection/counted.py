"""Answers that say where things are: how many are right, and how the least score decides it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.evaluation import Evaluation, Group
from edgeinfer.converters.tasks.intervals import (
    Comparison,
    jackknife,
    jackknife_groups,
    student_95,
)

Floats = NDArray[np.float64]

_SCORES = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""The least scores that are tried."""


@dataclass(frozen=True, kw_only=True)
class CountedEvaluation(Evaluation, ABC):
    """The answers of one model that finds things; its score is a figure of all pictures together.

    A picture's own score is F1 of what scores at least `min_score`, and 1 where there is nothing
    and nothing was found.

    Attributes:
        pictures: the truth and the answers, picture by picture.
        counts: (pictures, 3) int64: true things that were found, things that were said, true
            things.
        labels: the names of the classes.
        min_score: from which score on something counts for F1.
    """

    pictures: tuple[Answered, ...]
    counts: NDArray[np.int64]
    labels: tuple[str, ...]
    min_score: float

    @abstractmethod
    def counts_from(self, least: float) -> NDArray[np.int64]:
        """Return what `counts` is from another least score on."""

    @abstractmethod
    def measured_over(self, places: Sequence[int]) -> Floats:
        """Return figures of some pictures, by their places, 0 to 1: the first one is the score.

        The last ones are those of each class; NaN for a class that these pictures do not show.
        """

    @property
    def score(self) -> float:
        """The figure of all pictures, 0 to 1."""
        return float(self.known[0])

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return self.ends(0)

    @cached_property
    def known(self) -> Floats:
        """The figures of all pictures."""
        return self.measured_over(range(self.samples))

    def ends(self, place: int) -> tuple[float, float]:
        """Return the 95 % interval of a figure, by its place."""
        value, reach = float(self.known[place]), self._reach(float(self._errors[place]))
        return max(0.0, value - reach), min(1.0, value + reach)

    def by_least_score(self) -> tuple[tuple[float, ...], Floats]:
        """Return least scores, and for each (3,) precision, recall and F1 of what scores more.

        The precision of no answer at all is not a number.
        """
        shares = []
        for score in _SCORES:
            found, said, true = self.counts_from(score).sum(axis=0).tolist()
            f1 = share(2 * found, said + true)
            shares.append((share(found, said, empty=math.nan), share(found, true), f1))
        return _SCORES, np.array(shares)

    def best_min_score(self) -> float:
        """Return the least score with the best F1; of several that are as good the middle one."""
        scores, shares = self.by_least_score()
        best = np.flatnonzero(shares[:, 2] == shares[:, 2].max())
        return scores[int(best[len(best) // 2])]

    def by_group(self) -> tuple[Group, ...]:
        """Return the figure of each class that is there."""
        first = len(self.known) - len(self.labels)
        groups = []
        for label, (name, figure) in enumerate(zip(self.labels, self.known[first:], strict=True)):
            if not math.isnan(figure):
                low, high = self.ends(first + label)
                groups.append(
                    Group(
                        name=name,
                        samples=sum(label in one.target.labels for one in self.pictures),
                        score=float(figure),
                        low=low,
                        high=high,
                    )
                )
        return tuple(groups)

    def absent(self) -> tuple[str, ...]:
        """Return the names of the classes that no picture shows."""
        missing = np.isnan(self.known[len(self.known) - len(self.labels) :])
        return tuple(name for name, gone in zip(self.labels, missing, strict=True) if gone)

    def compared(self, other: Evaluation) -> Comparison:
        """Return how another model's figure differs on the same pictures."""
        if not isinstance(other, CountedEvaluation):
            return super().compared(other)

        def gained(places: Sequence[int]) -> Floats:
            return other.measured_over(places)[:1] - self.measured_over(places)[:1]

        difference = other.score - self.score
        error = float(jackknife(gained, self.samples)[0])
        reach = self._reach(error)
        return Comparison(
            difference=difference,
            low=max(-1.0, difference - reach),
            high=min(1.0, difference + reach),
            p_value=_chance(difference, error),
            better=int((other.scores > self.scores).sum()),
            worse=int((other.scores < self.scores).sum()),
        )

    @cached_property
    def _errors(self) -> Floats:
        return jackknife(self.measured_over, self.samples)

    def _reach(self, error: float) -> float:
        return student_95(jackknife_groups(self.samples) - 1) * error


def share(part: float, whole: float, *, empty: float = 0.0) -> float:
    """Return a part as a share, `empty` of nothing."""
    return part / whole if whole else empty


def picture_scores(counts: NDArray[np.int64]) -> Floats:
    """Return F1 of each picture, (pictures,), of counts as `CountedEvaluation` has them."""
    scores = [share(2 * found, said + true, empty=1.0) for found, said, true in counts.tolist()]
    return np.array(scores, np.float64)


def _chance(difference: float, error: float) -> float:
    """Return how often chance alone gives so large a difference, by the normal distribution."""
    if difference == 0 or not math.isfinite(error):
        return 1.0
    return math.erfc(abs(difference) / error / math.sqrt(2)) if error else 0.0
