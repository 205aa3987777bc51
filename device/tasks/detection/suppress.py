"""Of objects of one class that overlap, the surest: non-maximum suppression.

Upright boxes go to OpenCV. Turned ones are compared here: OpenCV takes a box within another for the
same (4.11, `NMSBoxesRotated`), so that a boat next to a ship would be lost.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.rotated import turned_overlaps


def suppress(
    boxes: NDArray[np.float64],
    classes: NDArray[np.int64],
    *,
    iou: float,
    most: int,
    angles: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return which objects are kept, in their order.

    Args:
        boxes: (objects, 4) left, top, right and bottom, the surest object first.
        classes: (objects,): objects of different classes may overlap.
        iou: intersection over union above which the object with the lower score is left out.
        most: how many of the surest are enough.
        angles: (objects,): how far each box is turned about its centre, in radians.
    """
    # What is kept of the surest does not depend on the others: mostly twice as many do.
    for count in (2 * most, len(boxes)):
        part = slice(0, count)
        kept = _kept(boxes[part], classes[part], iou, None if angles is None else angles[part])
        if len(kept) >= most or count >= len(boxes):
            break
    return kept[:most]


def _kept(
    boxes: NDArray[np.float64],
    classes: NDArray[np.int64],
    iou: float,
    angles: NDArray[np.float64] | None,
) -> NDArray[np.int64]:
    order = np.argsort(classes, kind="stable")
    starts = [0, *(np.flatnonzero(np.diff(classes[order])) + 1).tolist(), len(order)]
    if angles is None:
        return np.sort(order[_upright(boxes[order], starts, iou)])
    return np.sort(order[_turned(boxes[order], angles[order], starts, iou)])


def _upright(boxes: NDArray[np.float64], starts: list[int], iou: float) -> NDArray[np.int64]:
    """Return which boxes are kept of each class; those of a class follow each other."""
    from cv2 import dnn  # not where a model picks its objects itself

    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()
    # They are in order already: their places from behind are scores that OpenCV cannot round.
    ranks = range(len(boxes), 0, -1)
    kept = np.zeros(len(boxes), bool)
    for begin, end in itertools.pairwise(starts):
        if end - begin > 1:
            kept[begin:end][dnn.NMSBoxes(rectangles[begin:end], ranks[begin:end], 0.0, iou)] = True
        else:
            kept[begin:end] = True
    return np.flatnonzero(kept)


def _turned(
    boxes: NDArray[np.float64], angles: NDArray[np.float64], starts: list[int], iou: float
) -> list[int]:
    """Return the same of turned boxes."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    radii = np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T) / 2
    kept: list[int] = []
    for begin, end in itertools.pairwise(starts):
        left = np.arange(begin, end)
        while len(left):
            surest, left = left[0], left[1:]
            kept.append(int(surest))
            away = np.hypot(*(centres[left] - centres[surest]).T)
            near = np.flatnonzero(away < radii[left] + radii[surest])
            if len(near):
                some = left[near]
                overlaps = turned_overlaps(boxes[surest], angles[surest], boxes[some], angles[some])
                left = np.delete(left, near[overlaps > iou])
    return kept
