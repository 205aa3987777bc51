"""Likely wrong labels, and whether a split differs from the training split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.evaluation.dataset.features.linear import Floats, Indices, out_of_fold
from edgeinfer.host.evaluation.dataset.looks import Look

MIN_PICTURES = 20
"""Pictures of a class, or of a split, below which nothing is said."""

SURE = 0.9
"""Confidence in another class, at least, for a label that is named as likely wrong."""

_SURE_FIRST = 0.8
_MOST_OF_A_SPLIT = 2000
_RESAMPLES = 500

TOLD_APART = 0.6
"""Area under the curve; a split is named if the whole interval lies above. 0.5 is chance."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A picture whose label is likely wrong.

    Attributes:
        path: the picture.
        split: where it is.
        label: the label that it has.
        likely: the one that a head says, which was trained on other pictures.
        confidence: in that one, 0 to 1.
        own_confidence: in the label that it has.
    """

    path: str
    split: Split
    label: str
    likely: str
    confidence: float
    own_confidence: float


@dataclass(frozen=True, kw_only=True)
class ToldApart:
    """How well a head tells a split's pictures from those of training.

    Attributes:
        split: which.
        area: under the ROC curve, out of fold: 0.5 is chance, 1 never wrong.
        low: the lower end of its 95 % interval.
        high: the upper end.
        pictures: the number that was compared, from both.
    """

    split: Split
    area: float
    low: float
    high: float
    pictures: int

    @property
    def named(self) -> bool:
        """Whether the two differ more than chance explains."""
        return self.low > TOLD_APART

    @property
    def text(self) -> str:
        """The result in words."""
        return (
            f"a linear head tells {self.split} from train with an area under the curve of "
            f"{self.area:.2f} (95 % interval {self.low:.2f} to {self.high:.2f}; 0.5 is chance)"
        )


def suspects(
    looks: Sequence[Look],
    features: Floats,
    targets: Indices,
    labels: Sequence[str],
    groups: Indices,
    *,
    done: Callable[[], None] = lambda: None,
) -> tuple[list[Suspect], float]:
    """Return the likely wrong labels, the most confident first.

    A first round of folds finds the worst; the second is trained without them, so that wrong
    labels do not vouch for one another.

    Args:
        looks: the pictures.
        features: (n, d) of each.
        targets: (n,) the index of each picture's class.
        labels: the classes.
        groups: (n,) copies have the same number.
        done: called after each of the 10 folds.

    Returns:
        The suspects, and the share of all pictures whose label the second round gives.
    """
    rows = np.arange(len(looks))
    first = out_of_fold(features, targets, len(labels), groups, done=done)
    doubted = (first.argmax(axis=1) != targets) & (first.max(axis=1) >= _SURE_FIRST)
    answers = out_of_fold(features, targets, len(labels), groups, trusted=~doubted, done=done)
    likely = answers.argmax(axis=1)
    enough = np.bincount(targets, minlength=len(labels)) >= MIN_PICTURES
    wrong = (likely != targets) & (answers.max(axis=1) >= SURE) & enough[targets] & enough[likely]
    found = [
        Suspect(
            path=looks[index].sample.source,
            split=looks[index].split,
            label=labels[targets[index]],
            likely=labels[likely[index]],
            confidence=float(answers[index, likely[index]]),
            own_confidence=float(answers[index, targets[index]]),
        )
        for index in rows[wrong]
    ]
    agreed = float((likely == targets).mean())
    return sorted(found, key=lambda suspect: -suspect.confidence), agreed


def tell_apart(
    looks: Sequence[Look], features: Floats, groups: Indices, own: frozenset[Split]
) -> list[ToldApart]:
    """Try to tell each of the data set's own splits from its training split.

    At most 2,000 pictures of each are used, and equally many of both. Copies are in one fold.
    """
    if "train" not in own:
        return []
    random = np.random.default_rng(1)
    splits = np.array([look.split for look in looks])
    found = []
    for split in sorted(own - {"train"}):
        sides = [np.flatnonzero(splits == name) for name in ("train", split)]
        count = min(*map(len, sides), _MOST_OF_A_SPLIT)
        if count < MIN_PICTURES:
            continue
        chosen = np.concatenate([np.sort(random.permutation(side)[:count]) for side in sides])
        targets = np.repeat(np.arange(2), count)
        answers = out_of_fold(features[chosen], targets, 2, groups[chosen])[:, 1]
        areas = []
        for _ in range(_RESAMPLES):
            one, other = random.integers(0, count, (2, count))
            areas.append(_area(answers[one], answers[count + other]))
        low, high = np.percentile(areas, [2.5, 97.5])
        area = _area(answers[:count], answers[count:])
        found.append(
            ToldApart(split=split, area=area, low=float(low), high=float(high), pictures=2 * count)
        )
    return found


def _area(train: NDArray[np.float32], split: NDArray[np.float32]) -> float:
    """Return the share of pairs in which the split's picture has the larger answer."""
    ordered = np.sort(train)
    below = np.searchsorted(ordered, split, "left") + np.searchsorted(ordered, split, "right")
    return float(below.mean() / (2 * len(train)))
