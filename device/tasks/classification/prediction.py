"""Class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Prediction, json_number

UNKNOWN = "unknown"
"""The answer where no class is probable enough."""

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
        unknown_below: where the best class has a smaller probability, the answer is `unknown`; None
            where it never is.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    unknown_below: float | None = None

    @property
    def unknown(self) -> bool:
        """Whether no class is probable enough to be the answer."""
        return self.unknown_below is not None and not self.probability >= self.unknown_below

    @property
    def index(self) -> int:
        """The number of the most probable class, from 0; of equal ones the first."""
        return int(np.argmax(self.probabilities))

    @property
    def label(self) -> str:
        """The name of the most probable class, or "unknown" where it is not probable enough."""
        return UNKNOWN if self.unknown else self.labels[self.index]

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
        """The name of the most probable class, or "unknown"."""
        return self.label

    def text(self, count: int = 1) -> str:
        """Return the `count` most probable classes on one line, such as "cat 98.1%"."""
        classes = ", ".join(f"{label} {p:.1%}" for label, p in self.top(count))
        return f"{UNKNOWN} ({classes})" if self.unknown else classes

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `label`, `probability`, and in `top` the `count` best classes.

        Of a model that may answer `unknown` also `unknown`, whether it does; `probability` is that
        of the best class in any case.
        """
        flag = {} if self.unknown_below is None else {"unknown": self.unknown}
        return {
            "label": self.label,
            **flag,
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
        lines = [UNKNOWN] if self.unknown else []
        lines += [f"{p:.1%} {canvas.name(name, index_of[name])}" for name, p in shown]
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
        """Return the `count` most probable classes as (label, probability), the best first.

        None where the answer is `unknown`.
        """
        return [] if self.unknown else self.top(count)

    def score(self, label: str) -> float:
        """Return a class's probability; 0 where it is not one of the model's.

        Of an `unknown` answer all classes have 0.
        """
        if self.unknown:
            return 0.0
        pairs = zip(self.labels, self.probabilities, strict=True)
        return max((float(p) for name, p in pairs if name == label), default=0.0)

    def is_right(self, truth: str) -> bool | None:
        """Return whether the best class is the true one.

        None where the true one is not one of the model's, or the answer is `unknown`.
        """
        if self.unknown:
            return None
        return self.label == truth if truth in self.labels else None
