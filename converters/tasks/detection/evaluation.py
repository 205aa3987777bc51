"""How a detector found the true boxes of pictures: mean average precision, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.detection.coco import Answered, CocoMeasure
from edgeinfer.converters.tasks.detection.counted import (
    CountedEvaluation,
    Floats,
    picture_scores,
    share,
)
from edgeinfer.converters.tasks.detection.found import LEAST_OVERLAP, paired
from edgeinfer.device.tasks.detection.task import min_score
from edgeinfer.device.tasks.task import Said

SCORE_NAME = "mAP50"
_FIGURES = ("map50", "map75", "map50_95")


@dataclass(frozen=True, kw_only=True)
class DetectionEvaluation(CountedEvaluation):
    """The answers of one detector; the score is the mean average precision at half overlap."""

    def figures(self) -> dict[str, float]:
        """Return all three precisions with their intervals, F1, and how often counts are right."""
        figures: dict[str, float] = {}
        for place, name in enumerate(_FIGURES):
            low, high = self.ends(place)
            figures |= {
                name: float(self.known[place]),
                f"{name}.low": low,
                f"{name}.high": high,
            }
        found, said, true = self.counts.sum(axis=0).tolist()
        exact = float((self.counts[:, 1] == self.counts[:, 2]).mean()) if self.samples else 0.0
        return {
            **figures,
            "f1": share(2 * found, said + true),
            "precision": share(found, said),
            "recall": share(found, true),
            "exact_counts": exact,
        }

    def under(self, said: Said) -> DetectionEvaluation:
        """Return the same answers, counted from the least score of another description on."""
        return evaluate_boxes(self.pictures, self.labels, min_score(said))

    def lines(self) -> list[str]:
        """Return them for people."""
        if not self.samples:
            return []
        return precision_lines(self.figures(), "", self.min_score)[1:]

    def counts_from(self, least: float) -> NDArray[np.int64]:
        """Return what `counts` is from another least score on."""
        return _counts(self.pictures, least)

    def measured_over(self, places: Sequence[int]) -> Floats:
        """Return the three mean average precisions, and that at half overlap of each class."""
        found = self._measure.over(places)
        return np.concatenate([found.means, found.at_50])

    @cached_property
    def _measure(self) -> CocoMeasure:
        return CocoMeasure(self.pictures, len(self.labels))


def evaluate_boxes(
    pictures: Sequence[Answered], labels: tuple[str, ...], least: float
) -> DetectionEvaluation:
    """Return the evaluation of answers.

    Args:
        pictures: the truth and the answers.
        labels: the names of the classes.
        least: from which score on the bundle counts an object.
    """
    counts = _counts(pictures, least)
    return DetectionEvaluation(
        scores=picture_scores(counts),
        groups=np.zeros(len(counts), np.int64),
        group_names=("all",),
        score_name=SCORE_NAME,
        pictures=tuple(pictures),
        counts=counts,
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


def _counts(pictures: Sequence[Answered], least: float) -> NDArray[np.int64]:
    return np.array([_counted(one, least) for one in pictures], np.int64).reshape(-1, 3)


def _counted(one: Answered, least: float) -> tuple[int, int, int]:
    """Return how many true objects were found, how many were said, and how many there are."""
    said = np.flatnonzero(one.scores >= least)
    found = paired(
        (one.boxes[said], one.classes[said]),
        (one.target.boxes(one.size), one.target.labels),
        least=LEAST_OVERLAP,
    )
    return found, len(said), len(one.target.things)
