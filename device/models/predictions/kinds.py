"""What a model can say of a picture: each kind of prediction, for code, for scripts and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.models.predictions.located import Detections, Mask, Poses


@dataclass(frozen=True, kw_only=True)
class Classification:
    """Class probabilities.

    Attributes:
        labels: the class names, in the model's order.
        probabilities: (classes,) float64, in the same order.
    """

    placing: ClassVar[None] = None
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @property
    def index(self) -> int:
        """The most probable class; of equals the first."""
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
        """Return the `count` most probable (label, probability), best first."""
        values = self.probabilities
        candidates = np.arange(len(values))
        if count < len(values):
            # A thousand classes need not be sorted for the first five; those equal to the last of
            # them stay in, so that of equals the first ones win.
            candidates = np.flatnonzero(values >= -np.partition(-values, count - 1)[count - 1])
        order = candidates[np.argsort(-values[candidates], kind="stable")[:count]]
        return [(self.labels[i], float(values[i])) for i in order]

    def in_frame(self, size: tuple[int, int]) -> Classification:
        """Return itself: it says nothing of places in a frame of (width, height)."""
        return self

    @property
    def headline(self) -> str:
        """The answer in a word: while it stays, nothing has changed for people."""
        return self.label

    def text(self, count: int = 1) -> str:
        """Return the `count` most probable classes on one line."""
        return ", ".join(f"{label} {p:.1%}" for label, p in self.top(count))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read: the best label, its probability and the `count` best."""
        return {
            "label": self.label,
            "probability": round(self.probability, 6),
            "top": [{"label": name, "probability": round(p, 6)} for name, p in self.top(count)],
        }


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measured quantity, such as a gauge's reading."""

    placing: ClassVar[None] = None
    value: float
    unit: str

    def in_frame(self, size: tuple[int, int]) -> Value:
        """Return itself: it says nothing of places in a frame of (width, height)."""
        return self

    @property
    def headline(self) -> str:
        """The answer in a word, in three digits."""
        return f"{self.value:.3g}"

    def text(self, count: int = 1) -> str:
        """Return the value and its unit."""
        return f"{self.value:g} {self.unit}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read."""
        return {"value": self.value, "unit": self.unit}


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """A picture as a vector: like pictures have like vectors.

    Attributes:
        vector: (dimensions,) float64.
    """

    placing: ClassVar[None] = None
    vector: NDArray[np.float64]

    def in_frame(self, size: tuple[int, int]) -> Embedding:
        """Return itself: it says nothing of places in a frame of (width, height)."""
        return self

    @property
    def headline(self) -> str:
        """What it is: no vector can be told in a word."""
        return f"embedding of {len(self.vector):,} numbers"

    def text(self, count: int = 4) -> str:
        """Return the vector's length and its `count` first numbers."""
        first = ", ".join(f"{value:.3g}" for value in self.vector[:count])
        more = ", ..." if count < len(self.vector) else ""
        return f"{self.headline}, length {np.linalg.norm(self.vector):.4g}: {first}{more}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return what scripts read: the whole vector."""
        return {"embedding": [round(value, 7) for value in self.vector.tolist()]}


Prediction: TypeAlias = Classification | Value | Detections | Mask | Poses | Embedding
"""Each has `placing`, how its places lie in a frame: None where it has none or they are the frame's
already; and `in_frame(size)`, which gives it with the frame's."""
