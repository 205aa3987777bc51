"""How a model of several labels answered: for each label its precision, recall and F1."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.text.csv_cells import csv_cell
from edgeinfer.device.tasks.spec import MultiLabelSpec
from edgeinfer.device.tasks.task import Said


@dataclass(frozen=True, kw_only=True)
class LabelFigures:
    """How one label was found; shares are NaN where there is nothing to count.

    Attributes:
        label: its name.
        pictures: how many pictures have it.
        precision: the share of pictures said to have it that have it.
        recall: the share of pictures that have it that are said to.
        f1: the harmonic mean of both.
        min_score: its threshold.
    """

    label: str
    pictures: int
    precision: float
    recall: float
    f1: float
    min_score: float


@dataclass(frozen=True, kw_only=True)
class MultiLabelEvaluation(Evaluation):
    """How a model of several labels answered; a picture's score is F1 of its labels.

    Attributes:
        labels: the names.
        truths: (pictures, labels) bool: which are true.
        probabilities: (pictures, labels) float64.
        min_scores: (labels,) float64: from which probability on each label is named.
    """

    labels: tuple[str, ...]
    truths: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    min_scores: NDArray[np.float64]

    def by_label(self) -> list[LabelFigures]:
        """Return the figures of each label, in the order of the labels."""
        answers = self.probabilities >= self.min_scores
        both = (self.truths & answers).sum(axis=0)
        true, said = self.truths.sum(axis=0), answers.sum(axis=0)
        return [
            LabelFigures(
                label=label,
                pictures=int(true[place]),
                precision=_share(both[place], said[place]),
                recall=_share(both[place], true[place]),
                f1=_share(2 * both[place], true[place] + said[place]),
                min_score=float(self.min_scores[place]),
            )
            for place, label in enumerate(self.labels)
        ]

    def under(self, said: Said) -> MultiLabelEvaluation:
        """Return the same answers under other thresholds."""
        return evaluate_labels(self.truths, self.probabilities, said, self.score_name)

    def figures(self) -> dict[str, float]:
        """Return the mean F1 of the labels, for metrics."""
        return {"macro_f1": self.macro_f1}

    def lines(self) -> list[str]:
        """Return the figures of each label for people."""
        lines = [f"mean F1 of the labels: {self.macro_f1:.2%}"]
        for one in self.by_label():
            known = "not named" if np.isnan(one.precision) else f"precision {one.precision:.1%}"
            found = "" if np.isnan(one.recall) else f", recall {one.recall:.1%}"
            score = "" if np.isnan(one.f1) else f", F1 {one.f1:.1%}"
            lines.append(
                f"{one.label}: {known}{found}{score} ({one.pictures:,} pictures, from "
                f"{one.min_score:.2g})"
            )
        return lines

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the labels that some picture has or is said to have; 0 without any."""
        known = [one.f1 for one in self.by_label() if not np.isnan(one.f1)]
        return float(np.mean(known)) if known else 0.0


def evaluate_labels(
    truths: NDArray[np.bool_], probabilities: NDArray[np.float64], said: Said, score_name: str
) -> MultiLabelEvaluation:
    """Return the evaluation of answers.

    Args:
        truths: (pictures, labels) bool: which labels are true.
        probabilities: (pictures, labels).
        said: the description of the outputs: the labels and their thresholds.
        score_name: the name of the mean score.
    """
    spec = said.decoder.multi_label or MultiLabelSpec()
    least = np.array(spec.min_scores or (spec.min_score,) * len(said.labels), np.float64)
    answers = probabilities >= least
    both, sizes = (truths & answers).sum(axis=1), truths.sum(axis=1) + answers.sum(axis=1)
    count = len(truths)
    return MultiLabelEvaluation(
        scores=np.where(sizes == 0, 1.0, 2 * both / np.maximum(1, sizes)),
        groups=np.zeros(count, np.int64),
        group_names=("all",),
        score_name=score_name,
        certainty=np.abs(probabilities - least).min(axis=1) if count else np.zeros(0),
        labels=said.labels,
        truths=truths,
        probabilities=probabilities,
        min_scores=least,
    )


def labels_table(evaluation: MultiLabelEvaluation) -> bytes:
    """Return the figures of each label as CSV; a share of nothing is empty."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["label", "pictures", "precision", "recall", "f1", "min_score"])
    for one in evaluation.by_label():
        shares = (one.precision, one.recall, one.f1, one.min_score)
        cells = ["" if np.isnan(share) else f"{share:.4f}" for share in shares]
        writer.writerow([csv_cell(one.label), one.pictures, *cells])
    return table.getvalue().encode()


def best_min_scores(
    truths: NDArray[np.bool_], probabilities: NDArray[np.float64], *, least: int
) -> tuple[float, ...]:
    """Return for each label the threshold with the best F1 on these pictures.

    Of several equally good ones it is the one nearest to 0.5, and it is in the middle between two
    answers, so that small changes of the model do not matter. A label with fewer than `least`
    pictures that have it, or that do not, keeps 0.5: few pictures say nothing of a threshold.

    Args:
        truths: (pictures, labels) bool.
        probabilities: (pictures, labels).
        least: pictures with the label, and without it, that a choice needs.
    """
    return tuple(
        _best_min_score(truth, scores, least)
        for truth, scores in zip(truths.T, probabilities.T, strict=True)
    )


def _best_min_score(truth: NDArray[np.bool_], scores: NDArray[np.float64], least: int) -> float:
    if min(truth.sum(), (~truth).sum()) < least:
        return 0.5
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(truth[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + truth.sum())
    # Below the last answer there is room, too: then the label is named on every picture.
    ranked = np.append(scores[order], -1.0)
    # A threshold may only be between two different answers.
    allowed = ranked[:-1] > ranked[1:]
    if not allowed.any():
        return 0.5
    best = f1[allowed].max()
    places = np.flatnonzero(allowed & (f1 >= best - 1e-12))
    middles = (ranked[places] + ranked[places + 1]) / 2
    # 0.5 itself, where the best answers are on both sides of it.
    for low, high in zip(ranked[places + 1], ranked[places], strict=True):
        if low < 0.5 <= high:
            return 0.5
    return float(np.clip(middles[np.argmin(np.abs(middles - 0.5))], 0.0, 1.0))


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")
