"""How points found the things of pictures, and counted them: F1, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.counted import (
    CountedEvaluation,
    Floats,
    picture_scores,
    share,
)
from edgeinfer.converters.tasks.points.found import centres_of, found_things
from edgeinfer.device.tasks.points.task import points_spec
from edgeinfer.device.tasks.task import Said

SCORE_NAME = "F1"


@dataclass(frozen=True, kw_only=True)
class PointsEvaluation(CountedEvaluation):
    """The answers of one model; the score is F1 of the things of all pictures together.

    Attributes:
        found: for each picture (answers,) bool: whether each point finds a thing.
    """

    found: tuple[NDArray[np.bool_], ...]

    def figures(self) -> dict[str, float]:
        """Return F1 with its interval, and how well things are counted.

        `exact_counts` is the share of pictures whose number is right for each class. `count_error`
        is by how many the numbers of a picture are wrong, those of all classes added, on average.
        """
        low, high = self.interval
        found, said, true = self.counts.sum(axis=0).tolist()
        wrong = np.abs(self._by_class[:, :, 1] - self._by_class[:, :, 2]).sum(axis=1)
        return {
            "f1": self.score,
            "f1.low": low,
            "f1.high": high,
            "precision": share(found, said),
            "recall": share(found, true),
            "exact_counts": float((wrong == 0).mean()) if self.samples else 0.0,
            "count_error": float(wrong.mean()) if self.samples else 0.0,
        }

    def under(self, said: Said) -> PointsEvaluation:
        """Return the same answers, counted from the least score of another description on."""
        return _counted(self.pictures, self.found, self.labels, points_spec(said).min_score)

    def lines(self) -> list[str]:
        """Return what is not in the table of scores for people."""
        return point_lines(self.figures(), "", self.min_score)[1:] if self.samples else []

    def counts_from(self, least: float) -> NDArray[np.int64]:
        """Return what `counts` is from another least score on."""
        return _summed(_class_counts(self.pictures, self.found, len(self.labels), least))

    def measured_over(self, places: Sequence[int]) -> Floats:
        """Return F1, and that of each class."""
        counts = self._by_class[list(places)].sum(axis=0)
        all_found, all_said, all_true = counts.sum(axis=0).tolist()
        classes = [
            share(2 * found, said + true) if true else math.nan
            for found, said, true in counts.tolist()
        ]
        return np.array([share(2 * all_found, all_said + all_true), *classes])

    @cached_property
    def _by_class(self) -> NDArray[np.int64]:
        return _class_counts(self.pictures, self.found, len(self.labels), self.min_score)


def evaluate_points(
    pictures: Sequence[Answered], labels: tuple[str, ...], least: float
) -> PointsEvaluation:
    """Return the evaluation of answers.

    Args:
        pictures: the truth and the answers, whose boxes have the points as their centres.
        labels: the names of the classes.
        least: from which score on the bundle counts a thing.
    """
    found = tuple(
        found_things(
            centres_of(one.boxes), one.classes, one.target.boxes(one.size), one.target.labels
        )
        for one in pictures
    )
    return _counted(pictures, found, labels, least)


def point_lines(figures: Mapping[str, float], prefix: str, least: float) -> list[str]:
    """Return F1 and what is counted, for people, a line each.

    Args:
        figures: those of `PointsEvaluation.figures`.
        prefix: how their names begin there.
        least: the score from which a thing counts.
    """
    known = {name.removeprefix(prefix): figure for name, figure in figures.items()}
    return [
        f"{SCORE_NAME} {known['f1']:.1%} ({known['f1.low']:.1%} to {known['f1.high']:.1%})",
        f"of things that score {least:g} or more: precision {known['precision']:.1%}, recall "
        f"{known['recall']:.1%}; {known['exact_counts']:.1%} of pictures with the right numbers, "
        f"which are wrong by {known['count_error']:.2f} on average",
    ]


def _counted(
    pictures: Sequence[Answered],
    found: tuple[NDArray[np.bool_], ...],
    labels: tuple[str, ...],
    least: float,
) -> PointsEvaluation:
    counts = _summed(_class_counts(pictures, found, len(labels), least))
    return PointsEvaluation(
        scores=picture_scores(counts),
        groups=np.zeros(len(counts), np.int64),
        group_names=("all",),
        score_name=SCORE_NAME,
        pictures=tuple(pictures),
        counts=counts,
        labels=labels,
        min_score=least,
        found=found,
    )


def _class_counts(
    pictures: Sequence[Answered],
    found: tuple[NDArray[np.bool_], ...],
    classes: int,
    least: float,
) -> NDArray[np.int64]:
    """Return (pictures, classes, 3): true things found, things said, true things."""
    counts = np.zeros((len(pictures), classes, 3), np.int64)
    for row, one, right in zip(counts, pictures, found, strict=True):
        enough = one.scores >= least
        for column, labels in enumerate(
            (one.classes[enough & right], one.classes[enough], one.target.labels)
        ):
            row[:, column] = np.bincount(labels, minlength=classes)
    return counts


def _summed(by_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (pictures, 3) of all classes together."""
    counts: NDArray[np.int64] = by_class.sum(axis=1)
    return counts
