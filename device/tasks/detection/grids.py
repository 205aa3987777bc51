"""Boxes and scores for each cell of some grids to objects.

What scores too little is left out first: scores are compared as the model gives them, quantized or
not, with the least one that is enough. Only what is left is computed further, so that an answer
costs a few comparisons, whatever the size of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.suppress import suppress
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import GridSpec
from edgeinfer.device.tasks.task import Rows

MOST_CANDIDATES = 1000
"""At most this many of the surest cells are compared with each other, whatever a model gives."""

_FARTHEST = 12.0
"""The logarithm of the longest way to an edge, in strides: beyond any picture, and finite."""

_SURE = 1e-12
_MOST = 2**40

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

    Raises:
        ValueError: a grid's cells times its stride are not the image.
    """
    grids = [
        _Grid.of(stride, tensors[box], tensors[score], size, spec.min_score)
        for stride, box, score in zip(spec.strides, spec.boxes, spec.scores, strict=True)
    ]

    def decode(outputs: Sequence[NDArray[np.generic]]) -> Detections:
        found = [
            grid.found(outputs[box], outputs[score])
            for grid, box, score in zip(grids, spec.boxes, spec.scores, strict=True)
        ]
        boxes, classes, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        kept = np.flatnonzero(scores >= spec.min_score)
        if len(kept) > MOST_CANDIDATES:
            kept = kept[np.argpartition(-scores[kept], MOST_CANDIDATES)[:MOST_CANDIDATES]]
            kept.sort()
        order = kept[np.argsort(-scores[kept], kind="stable")]
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
        size: tuple[int, int],
        min_score: float,
    ) -> _Grid:
        rows, columns = boxes.shape[1:3]
        if (columns * stride, rows * stride) != size:
            raise ValueError(
                f"a grid of {columns} x {rows} cells of {stride} pixels for an image of "
                f"{size[0]} x {size[1]}, expected cells that fill it"
            )
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        centres = np.stack([x, y], axis=-1).reshape(-1, 2) * stride
        return cls(stride, boxes, scores, centres, _least(scores, min_score))

    def found(
        self, boxes: NDArray[np.generic], scores: NDArray[np.generic]
    ) -> tuple[_Reals, NDArray[np.int64], _Reals]:
        """Return the boxes, classes and scores of the cells that may be sure enough."""
        table = scores.reshape(len(self.centres), -1)
        # A comparison with what is not a number is false.
        with np.errstate(invalid="ignore"):
            sure = np.greater_equal(table, self.least)
        cells = np.flatnonzero(sure.any(axis=1))
        logits = np.nan_to_num(self.scores.dequantize(table[cells]), nan=-np.inf)
        classes = logits.argmax(axis=1) if len(cells) else np.zeros(0, np.int64)
        best = logits[np.arange(len(cells)), classes]
        ways = self.boxes.dequantize(boxes.reshape(-1, 4)[cells])
        kept = np.isfinite(ways).all(axis=1) & (best > -np.inf)
        cells, classes, best, ways = cells[kept], classes[kept], best[kept], ways[kept]
        reach = np.exp(np.clip(ways, -_FARTHEST, _FARTHEST)) * self.stride
        centres = self.centres[cells]
        corners = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
        return corners, classes.astype(np.int64), 1 / (1 + np.exp(-np.clip(best, -700, 700)))


def _least(scores: TensorSpec, min_score: float) -> float:
    """Return the least number of an output of logits that may be sure enough.

    It is a little too low: the exact comparison, of real scores, comes later.
    """
    share = min(max(min_score, _SURE), 1 - _SURE)
    logit = math.log(share / (1 - share)) - 1e-3
    if not scores.scale:
        return logit
    # Whole numbers are compared with a whole number: no copy in another dtype is made.
    return int(max(-_MOST, min(_MOST, math.floor(logit / scores.scale) + scores.zero_point)))
