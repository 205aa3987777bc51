"""Classes that do not exclude each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.prediction import Canvas, json_number, listed

NOTHING = "nothing"
"""What is said of a picture of which no class is true."""

_SHOWN_LABELS = 5


@dataclass(frozen=True, kw_only=True)
class MultiLabel(Classification):
    """The answer of a classifier whose classes do not exclude each other: several may be true.

    It is a `Classification` whose probabilities do not sum to 1.

    Examples:
        >>> answer = model.predict("street.jpg")
        >>> answer.named
        [('rain', 0.93), ('night', 0.71)]

    Attributes:
        labels: the names of all classes, in the order of the model's output.
        probabilities: (classes,) float64, the probability of each class, 0 to 1.
        min_score: classes with at least this probability are true of the picture.
        min_scores: the same for each class by itself; empty where `min_score` is for all.
    """

    min_score: float = 0.5
    min_scores: tuple[float, ...] = ()

    @property
    def true(self) -> NDArray[np.bool_]:
        """(classes,) bool: which classes are true of the picture."""
        return self.probabilities >= np.array(self.min_scores or self.min_score)

    @property
    def named(self) -> list[tuple[str, float]]:
        """The classes that are true of the picture as (label, probability), the surest first."""
        places = np.flatnonzero(self.true)
        order = places[np.argsort(-self.probabilities[places], kind="stable")]
        return [(self.labels[place], float(self.probabilities[place])) for place in order]

    @property
    def headline(self) -> str:
        """The names of the classes that are true of the picture, in the order of the output."""
        pairs = zip(self.labels, self.true, strict=True)
        return ", ".join(name for name, true in pairs if true) or NOTHING

    def text(self, count: int = 3) -> str:
        """Return the `count` surest true classes on one line, and how many more there are."""
        named = self.named
        return listed([f"{name} {p:.1%}" for name, p in named[:count]], len(named))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with all true classes in `labels`, and in `top` the `count` best ones."""
        return {
            "labels": [{"label": name, "probability": json_number(p, 6)} for name, p in self.named],
            "top": [
                {"label": name, "probability": json_number(p, 6)} for name, p in self.top(count)
            ],
        }

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the true classes, the surest first."""
        index_of = {label: index for index, label in enumerate(self.labels)}
        shown = self.named[:_SHOWN_LABELS]
        canvas.lines([f"{p:.1%} {canvas.name(name, index_of[name])}" for name, p in shown])

    def phrases(self, truth: str | None) -> list[str]:
        """Return the true classes, and the class that the picture is known to show if it is none
        of them."""
        wrong = truth is not None and self.is_right(truth) is False
        return [self.text(), *([f"truth: {truth}"] if wrong else [])]

    def is_right(self, truth: str) -> bool | None:
        """Return whether the true class is named, or exactly the true classes are.

        None where the model does not know them.

        Args:
            truth: a class, or several as `headline` writes them.
        """
        if truth in self.labels:
            return bool(self.true[self.labels.index(truth)])
        known = truth == NOTHING or set(truth.split(", ")) <= set(self.labels)
        return truth == self.headline if known else None
