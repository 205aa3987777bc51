"""Which part of its box an object covers: a small grid over each box.

A mask is the sum of a model's prototypes, weighed by the object's coefficients; places where it is
above 0 belong to the object.

Source: Bolya et al., "YOLACT: Real-time Instance Segmentation", 2019, section 3.1; a sigmoid above
one half is a sum above 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec

ObjectMask = NDArray[np.uint8]
"""(rows, columns): 1 where a cell of the box belongs to the object, else 0."""

_FINER = 2
"""Rows and columns of a mask for each of the prototypes."""


def object_masks(
    coefficients: NDArray[np.float64],
    output: NDArray[np.generic],
    tensor: TensorSpec,
    boxes: NDArray[np.float64],
    *,
    channels_first: bool,
    size: tuple[int, int],
) -> tuple[ObjectMask, ...]:
    """Return a mask for each object.

    Args:
        coefficients: (objects, prototypes).
        output: the prototypes, (1, prototypes, rows, columns) or (1, rows, columns, prototypes).
        tensor: its spec.
        boxes: (objects, 4) left, top, right and bottom in pixels of the model's image.
        channels_first: the prototypes come before rows and columns.
        size: (width, height) of the model's image.
    """
    values = output.reshape(output.shape[1:])
    maps = values if channels_first else np.moveaxis(values, 2, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        return tuple(
            _mask(weights, maps, tensor, box, size)
            for weights, box in zip(coefficients, boxes, strict=True)
        )


def _mask(
    weights: NDArray[np.float64],
    maps: NDArray[np.generic],
    tensor: TensorSpec,
    box: NDArray[np.float64],
    size: tuple[int, int],
) -> ObjectMask:
    import cv2  # for models with masks only

    rows, columns = maps.shape[1:]
    # In cells of the prototypes: those that the box touches, and one more for what is between two.
    scale = np.array([columns / size[0], rows / size[1]])
    begin, end = box[:2] * scale, box[2:] * scale
    first = np.clip(np.floor(begin).astype(np.int64) - 1, 0, (columns - 1, rows - 1))
    last = np.clip(np.ceil(end).astype(np.int64) + 1, first + 1, (columns, rows))
    part = tensor.dequantize(maps[:, first[1] : last[1], first[0] : last[0]])
    sums = np.tensordot(weights, part, 1).astype(np.float32)
    cells = np.clip(np.ceil((end - begin) * _FINER), 1, (_FINER * columns, _FINER * rows))
    step = (end - begin) / cells
    # The centre of cell 0 of the box, in cells of the part; OpenCV counts from cells' centres.
    start = begin + step / 2 - first - 0.5
    way = np.array([[step[0], 0, start[0]], [0, step[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    count = int(cells[0]), int(cells[1])
    placed = cv2.warpAffine(sums, way, count, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return (placed > 0).astype(np.uint8)


def cropped(mask: ObjectMask, before: NDArray[np.float64], box: NDArray[np.float64]) -> ObjectMask:
    """Return the part of a mask over `before` that is over a box within that.

    Args:
        mask: (rows, columns).
        before: left, top, right, bottom.
        box: the same, inside.
    """
    if (before == box).all():
        return mask
    shape = np.array(mask.shape[::-1])
    begin = (box[:2] - before[:2]) / (before[2:] - before[:2])
    share = (box[2:] - box[:2]) / (before[2:] - before[:2])
    counts = np.maximum(np.rint(share * shape).astype(np.int64), 1)
    columns, rows = (
        np.clip(((begin[i] + share[i] * _centres(counts[i])) * shape[i]), 0, shape[i] - 1).astype(
            np.int64
        )
        for i in (0, 1)
    )
    return np.ascontiguousarray(mask[rows][:, columns])


def _centres(count: int) -> NDArray[np.float64]:
    """Return where the centres of cells are from 0 to 1."""
    return (np.arange(count) + 0.5) / count


def paint(
    masks: Sequence[ObjectMask], boxes: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a picture of objects by number: 0 for none, 1 for the first, 255 at most.

    Args:
        masks: one for each object, the surest first; it is above the others.
        boxes: (objects, 4) left, top, right and bottom, in pixels of the picture.
        size: its (width, height).
    """
    painted = np.zeros((size[1], size[0]), np.uint8)
    for number in range(min(len(masks), 255) - 1, -1, -1):
        mask, box = masks[number], boxes[number]
        within = np.clip(box, 0, (*size, *size))
        left, top = np.ceil(within[:2] - 0.5).astype(np.int64).tolist()
        right, bottom = np.ceil(within[2:] - 0.5).astype(np.int64).tolist()
        if left >= right or top >= bottom:
            continue
        rows, columns = mask.shape
        x = (np.arange(left, right) + 0.5 - box[0]) / (box[2] - box[0]) * columns
        y = (np.arange(top, bottom) + 0.5 - box[1]) / (box[3] - box[1]) * rows
        cells = mask[np.clip(y, 0, rows - 1).astype(np.int64)]
        inside = cells[:, np.clip(x, 0, columns - 1).astype(np.int64)] > 0
        painted[top:bottom, left:right][inside] = number + 1
    return painted
