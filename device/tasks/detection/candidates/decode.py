"""Candidates, some numbers for each place that an object may be, to the objects among them.

What scores too little is left out before anything else is computed. Of the rest those stay whose
numbers are numbers, at most `MOST_CANDIDATES` of the surest, and of these what `suppress.py` keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.detection.masks import object_masks
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.detection.suppress import suppress
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import CandidateSpec

MOST_CANDIDATES = 1000
"""At most this many of the surest are compared with each other, whatever a model gives."""

_FARTHEST = 1e6
"""Boxes with a larger number are left out, in ratios as in pixels."""
_LARGEST_RATIO = 2.0
"""A box with a larger number is one in pixels; none is as small as that."""
_MOST_CLASS = 2**31

_Reals = NDArray[np.float64]


class Found(NamedTuple):
    """Objects in the model's own image, the surest first.

    Attributes:
        boxes: (objects, 4): left, top, right, bottom in pixels; of turned boxes before they turn.
        classes: (objects,) int64.
        scores: (objects,), 0 to 1.
        extras: (objects, numbers): what a candidate has behind its classes, as the model gave it.
        pixels: (x, y): how many pixels 1 is in a box's and a keypoint's numbers.
    """

    boxes: _Reals
    classes: NDArray[np.int64]
    scores: _Reals
    extras: _Reals
    pixels: tuple[float, float]


def decode_candidates(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: CandidateSpec,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Detections:
    """Turn a detector's candidates into objects in its own image.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: which of their numbers is what.
        labels: the class names.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Returns:
        The objects, the surest first, with masks or angles where the model has some.
    """
    found = find_objects(outputs, tensors, spec, size=size)
    masks = None
    if spec.prototypes is not None:
        masks = object_masks(
            found.extras[:, : spec.coefficients],
            outputs[spec.prototypes],
            tensors[spec.prototypes],
            found.boxes,
            channels_first=spec.prototypes_layout == "channels-first",
            size=size,
        )
    return Detections(
        labels=labels,
        boxes=found.boxes,
        classes=found.classes,
        scores=found.scores,
        size=size,
        placing=placing,
        angles=found.extras[:, -1] if spec.angle else None,
        masks=masks,
    )


def find_objects(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: CandidateSpec,
    *,
    size: tuple[int, int],
) -> Found:
    """Return the objects among a model's candidates.

    What is not a number, or has no area, is left out.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: which of their numbers is what.
        size: (width, height) of the model's image.
    """
    table = _Table(outputs[spec.output], tensors[spec.output], spec.layout == "channels-first")
    # Whatever a broken model gives: a comparison with what is not a number is false.
    with np.errstate(invalid="ignore", over="ignore"):
        kept, scores = _sure_enough(table, spec)
        order = _surest(scores, np.arange(len(kept)))
        if not _are_objects(table, spec, kept[order]).all():
            order = _surest(scores, np.flatnonzero(_are_objects(table, spec, kept)))
    kept, scores = kept[order], scores[order]
    boxes, extras = table.rows(0, 4, kept), table.rows(*spec.extras_at, kept)
    pixels = _pixels(boxes, spec, size)
    corners = _corners(boxes * (*pixels, *pixels), spec)
    area = (corners[:, :2] < corners[:, 2:]).all(axis=1)  # else too small for the numbers
    corners, kept, scores, extras = corners[area], kept[area], scores[area], extras[area]
    classes = _classes(table, spec, kept)
    chosen = np.arange(min(len(scores), spec.max_objects))
    if not spec.picked:
        angles = extras[:, -1] if spec.angle else None
        chosen = suppress(corners, classes, iou=spec.iou, most=spec.max_objects, angles=angles)
    return Found(
        boxes=corners[chosen],
        classes=classes[chosen],
        scores=np.minimum(scores[chosen], 1.0),
        extras=extras[chosen],
        pixels=pixels,
    )


class _Table:
    """The numbers of all candidates, along either axis."""

    def __init__(
        self, output: NDArray[np.generic], tensor: TensorSpec, channels_first: bool
    ) -> None:
        self._values = output.reshape(output.shape[1:])
        self._tensor = tensor
        self._first = channels_first

    def rows(self, begin: int, end: int, kept: NDArray[np.int64]) -> _Reals:
        """Return (kept, end - begin) real numbers of some candidates."""
        if self._first:
            return self._tensor.dequantize(self._values[begin:end, kept].T)
        return self._tensor.dequantize(self._values[kept, begin:end])

    def largest(self, begin: int, end: int) -> _Reals:
        """Return the largest real number from `begin` to `end` of each candidate.

        Quantized numbers are compared as they are: the scale is above 0.
        """
        if self._first:
            found = self._values[begin:end].max(axis=0)  # type: ignore[type-var, unused-ignore]
            return self._tensor.dequantize(found)
        # numpy takes the largest of short rows one by one: halves, then columns, are faster.
        values = self._values[:, begin:end]
        while (width := values.shape[1]) > 8:
            half = width // 2
            folded = np.maximum(values[:, :half], values[:, half : 2 * half])  # type: ignore[call-overload, unused-ignore]
            if width % 2:
                np.maximum(folded[:, 0], values[:, -1], out=folded[:, 0])
            values = folded
        return self._tensor.dequantize(np.ascontiguousarray(values.T).max(axis=0))


def _sure_enough(table: _Table, spec: CandidateSpec) -> tuple[NDArray[np.int64], _Reals]:
    """Return the candidates that score enough, and their scores."""
    scores = table.largest(*spec.scores_at)
    if spec.objectness:
        scores = scores * table.largest(4, 5)
    kept = np.flatnonzero((scores >= spec.min_score) & np.isfinite(scores))
    return kept, scores[kept]


def _are_objects(table: _Table, spec: CandidateSpec, kept: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which candidates have numbers that an object may have."""
    boxes = table.rows(0, 4, kept)
    right: NDArray[np.bool_] = (np.abs(boxes) <= _FARTHEST).all(axis=1)
    right &= np.isfinite(table.rows(*spec.extras_at, kept)).all(axis=1)
    right &= (boxes[:, 2:] > (boxes[:, :2] if spec.form == "corners" else 0)).all(axis=1)
    if spec.picked:
        classes = table.rows(5, 6, kept)[:, 0]
        right &= (classes > -0.5) & (classes < _MOST_CLASS)
    return right


def _surest(scores: _Reals, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the surest of some candidates, the surest first."""
    if len(kept) > MOST_CANDIDATES:
        kept = kept[np.argpartition(-scores[kept], MOST_CANDIDATES)[:MOST_CANDIDATES]]
        kept.sort()
    order: NDArray[np.int64] = kept[np.argsort(-scores[kept], kind="stable")]
    return order


def _classes(table: _Table, spec: CandidateSpec, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class of each candidate: the one with the highest score."""
    if spec.picked:
        picked: NDArray[np.int64] = np.rint(table.rows(5, 6, kept)[:, 0]).astype(np.int64)
        return picked
    best: NDArray[np.int64] = table.rows(*spec.scores_at, kept).argmax(axis=1)
    return best


def _pixels(boxes: _Reals, spec: CandidateSpec, size: tuple[int, int]) -> tuple[float, float]:
    """Return how many pixels 1 is in the numbers of the boxes, along x and y."""
    unit = spec.unit
    if unit == "either":
        large = np.count_nonzero(np.abs(boxes).max(axis=1, initial=0) > _LARGEST_RATIO)
        unit = "pixel" if 2 * large > len(boxes) else "ratio"
    return (1.0, 1.0) if unit == "pixel" else (float(size[0]), float(size[1]))


def _corners(boxes: _Reals, spec: CandidateSpec) -> _Reals:
    """Return left, top, right, bottom."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if spec.form == "corner-size":
        second = first + second
    elif spec.form == "center-size":
        first, second = first - second / 2, first + second / 2
    return np.concatenate([first, second], axis=1)
