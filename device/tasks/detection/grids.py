"""Boxes and scores for each cell of some grids to objects.

What scores too little is left out first, see `cells.py`. Only what is left is computed further, so
that an answer costs a few comparisons, whatever the size of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.cells import (
    at_least,
    cell_centres,
    least_number,
    surest,
    to_scores,
)
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.suppress import suppress
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import GridSpec
from edgeinfer.device.tasks.task import Rows

_FARTHEST = 12.0
"""The logarithm of the longest way to an edge, in strides: beyond any picture, and finite."""

_Reals = NDArray[np.float64]


def check_grids(spec: GridSpec, labels: tuple[str, ...], outputs: Sequence[TensorSpec]) -> None:
    """Refuse outputs that are not boxes and scores of grids with as many classes as labels.

    Raises:
        ValueError: with what was found and what was expected.
    """
    last = max(*spec.boxes, *spec.scores)
    if last >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {last} among them")
    for stride, box, score in zip(spec.strides, spec.boxes, spec.scores, strict=True):
        shape, scores = outputs[box].shape, outputs[score].shape
        rows, columns = shape[1:3] if len(shape) == 4 else (0, 0)
        wanted = [(1, rows, columns, 4), (1, rows, columns, len(labels))]
        if [shape, scores] != wanted or not labels:
            raise ValueError(
                f"outputs of boxes and scores of stride {stride} are {shape} and {scores}, "
                f"expected (1, rows, columns, 4) and as many for {len(labels)} labels"
            )


def adjusted_grids(spec: GridSpec, answer: AnswerOptions) -> GridSpec:
    """Return the description with what the user says of scores and overlap."""
    if answer.min_score is not None:
        spec = replace(spec, min_score=answer.min_score)
    return spec if answer.iou is None else replace(spec, iou=answer.iou)


def grid_rows(spec: GridSpec) -> Rows:
    """Return which output is what, for people."""
    grids = zip(spec.strides, spec.boxes, spec.scores, strict=True)
    texts = [f"every {stride} px: boxes {box}, scores {score}" for stride, box, score in grids]
    return [
        ("outputs", "; ".join(texts)),
        ("boxes", "logarithms of the ways from a cell's centre to the edges, in strides"),
        ("overlap", f"{spec.iou:g} iou at most"),
        ("min score", f"{spec.min_score:g}"),
    ]


def grid_decoder(
    spec: GridSpec,
    tensors: Sequence[TensorSpec],
    *,
    labels: tuple[str, ...],
    size: tuple[int, int],
    placing: Placing | None,
) -> Callable[[Sequence[NDArray[np.generic]]], Detections]:
    """Return what turns the outputs into objects in the model's own image.

    Args:
        spec: which output is what.
        tensors: the outputs' specs.
        labels: the class names.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.
    """
    grids = [
        _Grid.of(stride, tensors[box], tensors[score], spec.min_score)
        for stride, box, score in zip(spec.strides, spec.boxes, spec.scores, strict=True)
    ]

    def decode(outputs: Sequence[NDArray[np.generic]]) -> Detections:
        found = [
            grid.found(outputs[box], outputs[score])
            for grid, box, score in zip(grids, spec.boxes, spec.scores, strict=True)
        ]
        boxes, classes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = surest(scores, spec.min_score)
        if len(order) > 1:
            chosen = suppress(boxes[order], classes[order], iou=spec.iou, most=spec.max_objects)
            order = order[chosen]
        return Detections(
            labels=labels,
            boxes=boxes[order],
            classes=classes[order],
            scores=scores[order],
            size=size,
            placing=placing,
        )

    return decode


@dataclass(frozen=True)
class _Grid:
    """One grid of a model, ready to be read again and again.

    Attributes:
        stride: pixels from cell to cell.
        boxes: the spec of its output of boxes.
        scores: of its output of logits.
        centres: (cells, 2) x and y of their centres in pixels.
        least: the least number of the output of logits that is sure enough.
    """

    stride: int
    boxes: TensorSpec
    scores: TensorSpec
    centres: _Reals
    least: float

    @classmethod
    def of(
        cls,
        stride: int,
        boxes: TensorSpec,
        scores: TensorSpec,
        min_score: float,
    ) -> _Grid:
        rows, columns = boxes.shape[1:3]
        centres = cell_centres(rows, columns, stride)
        return cls(stride, boxes, scores, centres, least_number(scores, min_score))

    def found(
        self, boxes: NDArray[np.generic], scores: NDArray[np.generic]
    ) -> tuple[_Reals, NDArray[np.int64], _Reals]:
        """Return the boxes, classes and scores of the cells that may be sure enough."""
        table = scores.reshape(len(self.centres), -1)
        cells = np.flatnonzero(at_least(table, self.least).any(axis=1))
        if not len(cells):  # most grids of most pictures
            return np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0)
        logits = np.nan_to_num(self.scores.dequantize(table[cells]), nan=-np.inf)
        classes = logits.argmax(axis=1)
        best = logits[np.arange(len(cells)), classes]
        ways = self.boxes.dequantize(boxes.reshape(-1, 4)[cells])
        kept = np.isfinite(ways).all(axis=1) & (best > -np.inf)
        cells, classes, best, ways = cells[kept], classes[kept], best[kept], ways[kept]
        reach = np.exp(np.clip(ways, -_FARTHEST, _FARTHEST)) * self.stride
        centres = self.centres[cells]
        corners = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
        return corners, classes.astype(np.int64), to_scores(best)
