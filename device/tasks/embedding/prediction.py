"""A picture as a vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.prediction import Canvas, Prediction, json_number


@dataclass(frozen=True, kw_only=True)
class Embedding(Prediction):
    """The answer of an embedding model: a vector. Similar pictures have similar vectors.

    Examples:
        >>> a, b = (model.predict(name).vector for name in ("one.jpg", "other.jpg"))
        >>> float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        0.87

    Attributes:
        vector: (dimensions,) float64, the numbers that describe the picture.
    """

    vector: NDArray[np.float64]

    @property
    def headline(self) -> str:
        """The size of the vector, such as "embedding of 512 numbers"."""
        return f"embedding of {len(self.vector):,} numbers"

    def text(self, count: int = 4) -> str:
        """Return the length of the vector and its first `count` numbers, on one line."""
        first = ", ".join(f"{value:.3g}" for value in self.vector[:count])
        more = ", ..." if count < len(self.vector) else ""
        return f"{self.headline}, length {np.linalg.norm(self.vector):.4g}: {first}{more}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with the whole vector in `embedding`; `count` is not used."""
        return {"embedding": [json_number(value, 7) for value in self.vector.tolist()]}

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Write the vector's first numbers."""
        canvas.lines([self.text()])
