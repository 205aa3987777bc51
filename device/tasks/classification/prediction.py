"""Class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Prediction, json_number

_SHOWN_LABELS = 3
_LEAST_SHOWN = 0.01
"""Of a class that is drawn after the best."""


@dataclass(frozen=True, kw_only=True)
class Classification(Prediction):
    """The answer of a classifier: a probability for each class.

    Examples:
        >>> answer = model.predict("picture.jpg")
        >>> answer.label, answer.probability
        ('cat', 0.981)
        >>> answer.top(2)
        [('cat', 0.981), ('dog', 0.012)]

    Attributes:
        labels: the names of all classes, in the order of the model's output.
        probabilities: (classes,) float64, the probability of each class, 0 to 1, in the order of
            `labels`.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @property
    def index(self) -> int:
        """The number of the most probable class, from 0; of equal ones the first."""
        return int(np.argmax(self.probabilities))

    @property
    def label(self) -> str:
        """The name of the most probable class."""
        return self.labels[self.index]

    @property
    def probability(self) -> float:
        """The probability of the most probable class, 0 to 1."""
        return float(self.probabilities[self.index])

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` most probable classes as (label, probability), the best first."""
        values = self.probabilities
        candidates = np.arange(len(values))
        if count < len(values):
            # A thousand classes need not be sorted for the first five; those equal to the last of
            # them stay in, so that of equals the first ones win.
            candidates = np.flatnonzero(values >= -np.partition(-values, count - 1)[count - 1])
        order = candidates[np.argsort(-values[candidates], kind="stable")[:count]]
        return [(self.labels[i], float(values[i])) for i in order]

    @property
    def headline(self) -> str:
        """The name of the most probable class."""
        return self.label

    def text(self, count: int = 1) -> str:
        """Return the `count` most probable classes on one line, such as "cat 98.1%"."""
        return ", ".join(f"{label} {p:.1%}" for label, p in self.top(count))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `label`, `probability`, and in `top` the `count` best classes."""
        return {
            "label": self.label,
            "probability": json_number(self.probability, 6),
            "top": [
                {"label": name, "probability": json_number(p, 6)} for name, p in self.top(count)
            ],
        }

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer knows the same classes."""
        return isinstance(before, Classification) and before.labels == self.labels

    def smoothed(self, before: Sequence[Classification]) -> Classification:
        """Return the mean of the probabilities."""
        answers = [one.probabilities for one in (*before, self)]
        return replace(self, probabilities=np.mean(answers, axis=0))

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the best classes, the most probable one whatever its probability."""
        index_of = {label: index for index, label in enumerate(self.labels)}
        best, *others = self.top(_SHOWN_LABELS)
        shown = [best, *(one for one in others if one[1] >= _LEAST_SHOWN)]
        # The figure first: it is the name that is cut where there is no room.
        lines = [f"{p:.1%} {canvas.name(name, index_of[name])}" for name, p in shown]
        if self.is_right(truth or "") is False and truth is not None:
            lines.append(f"truth: {canvas.name(truth, index_of[truth])}")
        canvas.lines(lines)

    def phrases(self, truth: str | None) -> list[str]:
        """Return the best class, and the true one where that is another."""
        parts = [f"{self.label}  {self.probability:.1%}"]
        if truth is not None and self.is_right(truth) is False:
            parts.append(f"truth: {truth}")
        return parts

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` most probable classes as (label, probability), the best first."""
        return self.top(count)

    def score(self, label: str) -> float:
        """Return a class's probability; 0 where it is not one of the model's."""
        pairs = zip(self.labels, self.probabilities, strict=True)
        return max((float(p) for name, p in pairs if name == label), default=0.0)

    def is_right(self, truth: str) -> bool | None:
        """Return whether the best class is the true one; None where that is not one of the
        model's."""
        return self.label == truth if truth in self.labels else None
