"""How a model answered pictures whose truth is known: a score for each, for any task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.intervals import Comparison, compare_scores, mean_interval
from edgeinfer.device.tasks.task import Said


@dataclass(frozen=True, kw_only=True)
class Group:
    """How the pictures of one group, such as a class, were answered.

    Attributes:
        name: the group's name.
        samples: how many pictures it has.
        score: their score, 0 to 1.
        low: the lower end of its 95 % interval.
        high: the upper end.
    """

    name: str
    samples: int
    score: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The answers of one model to labelled pictures, as scores.

    Attributes:
        scores: (pictures,) float64, the score of each answer, 0 to 1.
        groups: (pictures,) int64, the number of the group that each picture belongs to, such as its
            class.
        group_names: the names of the groups; one name for a task without groups.
        score_name: the name of the mean score, such as "top-1".
        certainty: (pictures,) float64, decides which of two answers with equal scores is worse: the
            one with less certainty. None if scores are enough.
    """

    scores: NDArray[np.float64]
    groups: NDArray[np.int64]
    group_names: tuple[str, ...]
    score_name: str
    certainty: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        if self.scores.ndim != 1 or self.scores.shape != self.groups.shape:
            raise ValueError(
                f"scores and groups are {self.scores.shape} and {self.groups.shape}, expected one "
                "of each for every picture"
            )

    @property
    def samples(self) -> int:
        """The number of pictures that were answered."""
        return len(self.scores)

    @property
    def score(self) -> float:
        """The mean score of all pictures, 0 to 1; without pictures 0."""
        return float(self.scores.sum()) / max(1, self.samples)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the mean score, (low, high)."""
        return mean_interval(self.scores)

    def group_scores(self) -> NDArray[np.float64]:
        """Return the mean score of each group, (groups,) float64; NaN for one without pictures."""
        count = len(self.group_names)
        totals = np.bincount(self.groups, minlength=count)
        sums = np.bincount(self.groups, weights=self.scores, minlength=count)
        shares = np.full(count, np.nan)
        np.divide(sums, totals, out=shares, where=totals > 0)
        return shares

    def by_group(self) -> tuple[Group, ...]:
        """Return the groups that have pictures, each with its score."""
        groups = []
        for index, name in enumerate(self.group_names):
            scores = self.scores[self.groups == index]
            if len(scores):
                low, high = mean_interval(scores)
                mean = float(np.mean(scores))
                groups.append(Group(name=name, samples=len(scores), score=mean, low=low, high=high))
        return tuple(groups)

    def absent(self) -> tuple[str, ...]:
        """Return the names of the groups without pictures."""
        there = set(self.groups.tolist())
        return tuple(name for index, name in enumerate(self.group_names) if index not in there)

    def compared(self, other: Evaluation) -> Comparison:
        """Return how another model's answers to the same pictures compare with these."""
        return compare_scores(self.scores, other.scores)

    def under(self, said: Said) -> Evaluation:
        """Return the same answers under another description of the outputs, such as an interval.

        By default the description changes nothing.
        """
        return self

    def figures(self) -> dict[str, float]:
        """Return further figures for metrics, by name; by default none."""
        return {}

    def headline(self) -> tuple[str, str]:
        """Return what is said first on a page: the name of a figure, and the figure."""
        return self.score_name, f"{100 * self.score:.2f} %"

    def lines(self) -> list[str]:
        """Return further figures for people, a line each; by default none."""
        return []

    def worst(self, count: int) -> list[int]:
        """Return the places of the `count` pictures with the lowest scores, the lowest first."""
        certainty = self.scores if self.certainty is None else self.certainty
        order = np.lexsort((certainty, self.scores))[:count]
        return [int(place) for place in order if self.scores[place] < 1.0]
