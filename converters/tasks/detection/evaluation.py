"""How a detector found the true boxes of pictures: mean average precision, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.detection.coco import Answered, CocoMeasure, Precisions
from edgeinfer.converters.tasks.detection.found import LEAST_OVERLAP, paired
from edgeinfer.converters.tasks.evaluation import Evaluation, Group
from edgeinfer.converters.tasks.intervals import (
    Comparison,
    jackknife,
    jackknife_groups,
    student_95,
)
from edgeinfer.device.tasks.detection.task import min_score
from edgeinfer.device.tasks.task import Said

Floats = NDArray[np.float64]

SCORE_NAME = "mAP50"
_SCORES = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""The least scores that are tried."""
_FIGURES = ("map50", "map75", "map50_95")


@dataclass(frozen=True, kw_only=True)
class DetectionEvaluation(Evaluation):
    """The answers of one detector; the score is the mean average precision at half overlap.

    A picture's own score is F1 of the objects that score at least `min_score`, and 1 where there is
    nothing and nothing was found.

    Attributes:
        pictures: the truth and the answers, picture by picture.
        counts: (pictures, 3) int64: true objects that were found, objects that were said, true
            objects.
        labels: the names of the classes.
        min_score: from which score on an object counts for F1.
    """

    pictures: tuple[Answered, ...]
    counts: NDArray[np.int64]
    labels: tuple[str, ...]
    min_score: float

    @property
    def score(self) -> float:
        """The mean average precision at half overlap, 0 to 1."""
        return float(self._precisions.means[0])

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return self._ends(0)

    def figures(self) -> dict[str, float]:
        """Return all three precisions with their intervals, F1, and how often counts are right."""
        figures: dict[str, float] = {}
        for place, name in enumerate(_FIGURES):
            low, high = self._ends(place)
            figures |= {
                name: float(self._precisions.means[place]),
                f"{name}.low": low,
                f"{name}.high": high,
            }
        found, said, true = self.counts.sum(axis=0).tolist()
        exact = float((self.counts[:, 1] == self.counts[:, 2]).mean()) if self.samples else 0.0
        return {
            **figures,
            "f1": _share(2 * found, said + true),
            "precision": _share(found, said),
            "recall": _share(found, true),
            "exact_counts": exact,
        }

    def under(self, said: Said) -> DetectionEvaluation:
        """Return the same answers, counted from the least score of another description on."""
        return evaluate_boxes(self.pictures, self.labels, min_score(said))

    def by_least_score(self) -> tuple[tuple[float, ...], Floats]:
        """Return least scores, and for each (3,) precision, recall and F1 of what scores more.

        The precision of no answer at all is not a number.
        """
        shares = []
        for score in _SCORES:
            counts = np.array([_counted(one, score) for one in self.pictures]).reshape(-1, 3)
            found, said, true = counts.sum(axis=0).tolist()
            f1 = _share(2 * found, said + true)
            shares.append((_share(found, said, empty=math.nan), _share(found, true), f1))
        return _SCORES, np.array(shares)

    def best_min_score(self) -> float:
        """Return the least score with the best F1; of several that are as good the middle one."""
        scores, shares = self.by_least_score()
        best = np.flatnonzero(shares[:, 2] == shares[:, 2].max())
        return scores[int(best[len(best) // 2])]

    def lines(self) -> list[str]:
        """Return them for people."""
        if not self.samples:
            return []
        return precision_lines(self.figures(), "", self.min_score)[1:]

    def by_group(self) -> tuple[Group, ...]:
        """Return the average precision at half overlap of each class that is there."""
        ends = student_95(self._freedom) * self._errors[3:]
        groups = []
        for place, (name, precision) in enumerate(
            zip(self.labels, self._precisions.at_50, strict=True)
        ):
            if not math.isnan(precision):
                low, high = _bounded(float(precision), float(ends[place]))
                groups.append(
                    Group(
                        name=name,
                        samples=sum(place in one.target.labels for one in self.pictures),
                        score=float(precision),
                        low=low,
                        high=high,
                    )
                )
        return tuple(groups)

    def absent(self) -> tuple[str, ...]:
        """Return the names of the classes without a true box."""
        missing = np.isnan(self._precisions.at_50)
        return tuple(name for name, gone in zip(self.labels, missing, strict=True) if gone)

    def compared(self, other: Evaluation) -> Comparison:
        """Return how another detector's mean average precision differs on the same pictures."""
        if not isinstance(other, DetectionEvaluation):
            return super().compared(other)
        mine, theirs = self._measure, other._measure

        def gained(places: Sequence[int]) -> Floats:
            return theirs.over(places).means[:1] - mine.over(places).means[:1]

        difference = other.score - self.score
        error = float(jackknife(gained, self.samples)[0])
        reach = student_95(self._freedom) * error
        return Comparison(
            difference=difference,
            low=max(-1.0, difference - reach),
            high=min(1.0, difference + reach),
            p_value=_chance(difference, error),
            better=int((other.scores > self.scores).sum()),
            worse=int((other.scores < self.scores).sum()),
        )

    @cached_property
    def _measure(self) -> CocoMeasure:
        return CocoMeasure(self.pictures, len(self.labels))

    @cached_property
    def _precisions(self) -> Precisions:
        return self._measure.over(range(self.samples))

    @property
    def _freedom(self) -> int:
        return jackknife_groups(self.samples) - 1

    @cached_property
    def _errors(self) -> Floats:
        """Standard errors: of the three means, then of each class at half overlap."""

        def figures(places: Sequence[int]) -> Floats:
            found = self._measure.over(places)
            return np.concatenate([found.means, found.at_50])

        return jackknife(figures, self.samples)

    def _ends(self, place: int) -> tuple[float, float]:
        reach = student_95(self._freedom) * float(self._errors[place])
        return _bounded(float(self._precisions.means[place]), reach)


def evaluate_boxes(
    pictures: Sequence[Answered], labels: tuple[str, ...], least: float
) -> DetectionEvaluation:
    """Return the evaluation of answers.

    Args:
        pictures: the truth and the answers.
        labels: the names of the classes.
        least: from which score on the bundle counts an object.
    """
    counts = [_counted(one, least) for one in pictures]
    scores = [_share(2 * found, said + true, empty=1.0) for found, said, true in counts]
    return DetectionEvaluation(
        scores=np.array(scores, np.float64),
        groups=np.zeros(len(scores), np.int64),
        group_names=("all",),
        score_name=SCORE_NAME,
        pictures=tuple(pictures),
        counts=np.array(counts, np.int64).reshape(-1, 3),
        labels=labels,
        min_score=least,
    )


def precision_lines(figures: Mapping[str, float], prefix: str, least: float) -> list[str]:
    """Return average precisions and what is counted, for people, a line each.

    Args:
        figures: those of `DetectionEvaluation.figures`.
        prefix: how their names begin there.
        least: the score from which an object counts.
    """
    known = {name.removeprefix(prefix): figure for name, figure in figures.items()}
    texts = [
        f"{title} {known[name]:.1%} ({known[f'{name}.low']:.1%} to {known[f'{name}.high']:.1%})"
        for title, name in zip((SCORE_NAME, "mAP75", "mAP50-95"), _FIGURES, strict=True)
    ]
    return [
        texts[0],
        ", ".join(texts[1:]),
        f"of objects that score {least:g} or more: F1 {known['f1']:.1%}, "
        f"precision {known['precision']:.1%}, recall {known['recall']:.1%}; "
        f"{known['exact_counts']:.1%} of pictures with the right number",
    ]


def _counted(one: Answered, least: float) -> tuple[int, int, int]:
    """Return how many true objects were found, how many were said, and how many there are."""
    said = np.flatnonzero(one.scores >= least)
    found = paired(
        (one.boxes[said], one.classes[said]),
        (one.target.boxes(one.size), one.target.labels),
        least=LEAST_OVERLAP,
    )
    return found, len(said), len(one.target.things)


def _share(part: float, whole: float, *, empty: float = 0.0) -> float:
    return part / whole if whole else empty


def _bounded(value: float, reach: float) -> tuple[float, float]:
    return max(0.0, value - reach), min(1.0, value + reach)


def _chance(difference: float, error: float) -> float:
    """Return how often chance alone gives so large a difference, by the normal distribution."""
    if difference == 0 or not math.isfinite(error):
        return 1.0
    return math.erfc(abs(difference) / error / math.sqrt(2)) if error else 0.0
