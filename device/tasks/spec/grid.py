"""How the outputs of detectors that `edgeinfer train` makes are read: boxes and scores by cells."""

from __future__ import annotations

from dataclasses import dataclass

_MOST_STRIDE = 1024
_MOST_GRIDS = 8
_MOST_OBJECTS = 1000


@dataclass(frozen=True, kw_only=True)
class GridSpec:
    """Which outputs are what, of a detector that answers for each cell of one grid or several.

    The boxes and the scores of a grid are outputs by themselves, so that each has its own scale in
    INT8. A cell's box is four numbers: the natural logarithms of how far its left, upper, right and
    lower edges are from the centre of the cell, in strides. Its scores are one logit a class.

    Attributes:
        strides: pixels from cell to cell of each grid.
        boxes: for each grid the number of its output of boxes, (1, rows, columns, 4).
        scores: for each grid the number of its output of logits, (1, rows, columns, classes).
        min_score: objects that score less are left out, 0 to 1.
        iou: of objects of a class that overlap more, intersection over union, the surest is kept.
        max_objects: at most this many objects are kept, the surest.
    """

    strides: tuple[int, ...]
    boxes: tuple[int, ...]
    scores: tuple[int, ...]
    min_score: float = 0.4
    iou: float = 0.5
    max_objects: int = 100

    def __post_init__(self) -> None:
        """Refuse outputs that are two things at the same time, and impossible numbers."""
        grids = len(self.strides)
        if not 1 <= grids <= _MOST_GRIDS or {len(self.boxes), len(self.scores)} != {grids}:
            raise ValueError(
                f"{grids} strides, {len(self.boxes)} boxes and {len(self.scores)} scores, expected "
                f"one each a grid, for 1 to {_MOST_GRIDS} grids"
            )
        numbers = [*self.boxes, *self.scores]
        if len(set(numbers)) != len(numbers) or min(numbers) < 0:
            raise ValueError(f"outputs are {numbers}, expected different numbers from 0")
        if not all(1 <= stride <= _MOST_STRIDE for stride in self.strides):
            raise ValueError(f"strides are {self.strides}, expected 1 to {_MOST_STRIDE}")
        if not (0 <= self.min_score <= 1 and 0 <= self.iou <= 1):
            raise ValueError(f"min_score {self.min_score}, iou {self.iou}: expected 0 to 1")
        if not 1 <= self.max_objects <= _MOST_OBJECTS:
            raise ValueError(f"max_objects is {self.max_objects}, expected 1 to {_MOST_OBJECTS}")
