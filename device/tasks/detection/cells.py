"""The cells of a grid that a network answers for, and which of their scores are high enough.

Scores are compared as the model gives them, quantized or not, with the least one that is enough.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec

MOST_CANDIDATES = 1000
"""At most this many of the surest cells are compared with each other, whatever a model gives."""

_SURE = 1e-12
_MOST = 2**40
_LARGEST_LOGIT = 700.0


def check_cells(output: TensorSpec, stride: int, size: tuple[int, int]) -> None:
    """Refuse a grid that is not the model's image.

    Args:
        output: one for each cell, (1, rows, columns, numbers).
        stride: pixels from cell to cell.
        size: (width, height) of the model's image.

    Raises:
        ValueError: its cells do not fill the image, or are more than that.
    """
    rows, columns = output.shape[1:3]
    if (columns * stride, rows * stride) != size:
        raise ValueError(
            f"a grid of {columns} x {rows} cells of {stride} pixels for an image of "
            f"{size[0]} x {size[1]}, expected cells that fill it"
        )


def cell_centres(rows: int, columns: int, stride: int) -> NDArray[np.float64]:
    """Return (cells, 2) x and y of the centres of a grid's cells in pixels, row by row.

    Args:
        rows: how many the grid has.
        columns: how many it has.
        stride: pixels from cell to cell.
    """
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    centres: NDArray[np.float64] = np.stack([x, y], axis=-1).reshape(-1, 2) * stride
    return centres


def least_number(scores: TensorSpec, min_score: float) -> float:
    """Return the least number of an output of logits that may be sure enough.

    It is a little too low: the exact comparison, of real scores, comes later.
    """
    share = min(max(min_score, _SURE), 1 - _SURE)
    logit = math.log(share / (1 - share)) - 1e-3
    if not scores.scale:
        return logit
    # Whole numbers are compared with a whole number: no copy in another dtype is made.
    return int(max(-_MOST, min(_MOST, math.floor(logit / scores.scale) + scores.zero_point)))


def at_least(numbers: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """Return which numbers of an output are at least `least`: none that is not a number."""
    with np.errstate(invalid="ignore"):
        enough: NDArray[np.bool_] = np.greater_equal(numbers, least)
    return enough


def to_scores(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scores of logits, 0 to 1."""
    scores: NDArray[np.float64] = 1 / (
        1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT))
    )
    return scores


def surest(scores: NDArray[np.float64], min_score: float) -> NDArray[np.int64]:
    """Return the places of at most `MOST_CANDIDATES` scores that are enough, the highest first."""
    kept = np.flatnonzero(scores >= min_score)
    if len(kept) > MOST_CANDIDATES:
        kept = kept[np.argpartition(-scores[kept], MOST_CANDIDATES)[:MOST_CANDIDATES]]
        kept.sort()
    return kept[np.argsort(-scores[kept], kind="stable")]
