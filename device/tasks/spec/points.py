"""How the outputs of networks that `edgeinfer train --task points` makes are read: centres."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_STRIDE = 1024
_MOST_POINTS = 1000


@dataclass(frozen=True, kw_only=True)
class PointsSpec:
    """Which outputs are what, of a network that says in which cells of a grid things have centres.

    Attributes:
        stride: pixels from cell to cell.
        scores: number of the output of logits, (1, rows, columns, classes).
        places: number of the output with the way from the centre of a cell to that of the thing in
            it, x and y in strides, (1, rows, columns, 2).
        side: of the square that stands for a thing: its area is this number's square, as a share of
            the model's image; above 0, to 1.
        min_score: things that score less are left out, 0 to 1.
        max_objects: at most this many things are kept, the surest.
    """

    stride: int
    scores: int = 0
    places: int = 1
    side: float = 0.1
    min_score: float = 0.4
    max_objects: int = 300

    def __post_init__(self) -> None:
        """Refuse outputs that are two things at the same time, and impossible numbers."""
        if self.scores == self.places or min(self.scores, self.places) < 0:
            raise ValueError(
                f"outputs are {[self.scores, self.places]}, expected different numbers from 0"
            )
        if not 1 <= self.stride <= _MOST_STRIDE:
            raise ValueError(f"stride is {self.stride}, expected 1 to {_MOST_STRIDE}")
        if not 0 < self.side <= 1:
            raise ValueError(f"side is {self.side}, expected above 0, to 1")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")
        if not 1 <= self.max_objects <= _MOST_POINTS:
            raise ValueError(f"max_objects is {self.max_objects}, expected 1 to {_MOST_POINTS}")
