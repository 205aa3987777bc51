"""A map of scores to points: the cells that score more than all around them.

No box is compared with another one: an answer costs a few comparisons of cells.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.detection.cells import (
    at_least,
    cell_centres,
    least_number,
    surest,
    to_scores,
)
from edgeinfer.device.tasks.points.prediction import Points
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import PointsSpec

_INSIDE = 0.5
"""Centres are at least this many pixels within the model's image."""


def check_points(spec: PointsSpec, labels: tuple[str, ...], outputs: Sequence[TensorSpec]) -> None:
    """Refuse outputs that are not scores and places of one grid, with as many classes as labels.

    Raises:
        ValueError: with what was found and what was expected.
    """
    last = max(spec.scores, spec.places)
    if last >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {last} among them")
    scores, places = outputs[spec.scores].shape, outputs[spec.places].shape
    rows, columns = scores[1:3] if len(scores) == 4 else (0, 0)
    wanted = [(1, rows, columns, len(labels)), (1, rows, columns, 2)]
    if [scores, places] != wanted or not labels:
        raise ValueError(
            f"outputs of scores and places are {scores} and {places}, expected (1, rows, columns, "
            f"{len(labels)}) for {len(labels)} labels, and as many of 2"
        )


def points_decoder(
    spec: PointsSpec,
    tensors: Sequence[TensorSpec],
    *,
    labels: tuple[str, ...],
    size: tuple[int, int],
    placing: Placing | None,
) -> Callable[[Sequence[NDArray[np.generic]]], Points]:
    """Return what turns the outputs into points in the model's own image.

    Args:
        spec: which output is what.
        tensors: the outputs' specs.
        labels: the class names.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.
    """
    score, place = tensors[spec.scores], tensors[spec.places]
    rows, columns, classes = score.shape[1:]
    centres = cell_centres(rows, columns, spec.stride)
    least = least_number(score, spec.min_score)
    half = spec.side * math.sqrt(size[0] * size[1]) / 2

    def decode(outputs: Sequence[NDArray[np.generic]]) -> Points:
        table = outputs[spec.scores].reshape(rows, columns, classes)
        cells, kinds = peaks(table, at_least(table, least))
        scores = to_scores(score.dequantize(table.reshape(-1, classes)[cells, kinds]))
        ways = place.dequantize(outputs[spec.places].reshape(-1, 2)[cells])
        known = np.where(np.isfinite(ways).all(axis=1), scores, -1.0)
        order = surest(known, spec.min_score)
        points = np.clip(
            centres[cells[order]] + ways[order] * spec.stride,
            _INSIDE,
            np.array(size) - _INSIDE,
        )
        kept = apart(points, kinds[order], spec.stride)[: spec.max_objects]
        points, order = points[kept], order[kept]
        return Points(
            labels=labels,
            boxes=np.concatenate([points - half, points + half], axis=1),
            classes=kinds[order],
            scores=scores[order],
            size=size,
            placing=placing,
        )

    return decode


def peaks(
    table: NDArray[np.generic], sure: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells that have the highest number of a class among their eight neighbours.

    Of neighbours that are equal the first one has it, row by row.

    Args:
        table: (rows, columns, classes) numbers, quantized or not.
        sure: of the same shape: others are left out.

    Returns:
        The numbers of the cells, row by row, and of their classes.
    """
    rows, columns, _ = table.shape
    row, column, kind = np.nonzero(sure)
    own, cell = table[row, column, kind], row * columns + column
    highest = np.ones(len(own), bool)
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        # At the edges a neighbour is another one again, or the cell itself.
        near = np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)
        number = table[(*near, kind)]
        before = near[0] * columns + near[1] < cell
        with np.errstate(invalid="ignore"):  # a comparison with what is not a number is false
            highest &= ~(np.greater(number, own) | (np.equal(number, own) & before))
    return cell[highest], kind[highest]


def apart(
    points: NDArray[np.float64], classes: NDArray[np.int64], least: float
) -> NDArray[np.int64]:
    """Return the places of the points without a surer one of their class closer than `least`.

    Args:
        points: (points, 2), the surest first.
        classes: (points,).
        least: how far apart points of a class are at least.
    """
    free = np.ones(len(points), bool)
    for place in range(len(points)):
        if free[place]:
            rest = slice(place + 1, None)
            way = np.hypot(*(points[rest] - points[place]).T)
            free[rest] &= (way >= least) | (classes[rest] != classes[place])
    return np.flatnonzero(free)
