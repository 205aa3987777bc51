"""Boxes, classes and scores, as TFLite_Detection_PostProcess gives them, to objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import DetectionSpec


def decode_detections(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: DetectionSpec,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Detections:
    """Turn a detector's outputs into objects in its own image.

    Args:
        outputs: as the model gave them.
        tensors: their specs.
        spec: which of them is what.
        labels: the class names.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Returns:
        The objects, the surest first. What is not a number or not a box is left out.
    """

    def real(number: int) -> NDArray[np.float64]:
        # After the counted objects is whatever was in memory, a signalling NaN too.
        with np.errstate(invalid="ignore"):
            return tensors[number].dequantize(outputs[number])

    scores = real(spec.scores).reshape(-1)
    boxes, classes = real(spec.boxes).reshape(-1, 4), real(spec.classes).reshape(-1)
    count = _used(outputs, tensors, spec)
    corners = _corners(boxes[:count][:, list(spec.order)], spec)
    if spec.unit == "ratio":
        corners = corners * (*size, *size)
    with np.errstate(invalid="ignore"):  # a comparison with what is not a number is false
        kept = (
            _filled(count, spec, len(labels))
            & (scores[:count] >= spec.min_score)
            & np.isfinite(corners).all(axis=1)
            & np.isfinite(classes[:count])
            & (corners[:, 0] < corners[:, 2])
            & (corners[:, 1] < corners[:, 3])
        )
    found = np.flatnonzero(kept)
    found = found[np.argsort(-scores[found], kind="stable")]
    return Detections(
        labels=labels,
        boxes=corners[found],
        classes=np.rint(classes[found]).astype(np.int64) - spec.first_class,
        scores=np.minimum(scores[found], 1.0),
        size=size,
        placing=placing,
    )


def blank_unused(
    outputs: Sequence[NDArray[np.generic]],
    tensors: Sequence[TensorSpec],
    spec: DetectionSpec,
    classes: int,
) -> list[NDArray[np.generic]]:
    """Return the outputs with zeros in all entries without an object, of a model of `classes`.

    TFLite_Detection_PostProcess leaves there whatever was in memory, which no run repeats.
    """
    blanked, used = list(outputs), _used(outputs, tensors, spec)
    empty = np.ones(outputs[spec.scores].size, bool)
    empty[:used] = ~_filled(used, spec, classes)
    for number in (spec.boxes, spec.classes, spec.scores):
        blanked[number] = outputs[number].copy()
        blanked[number][:, empty] = 0
    return blanked


def _used(
    outputs: Sequence[NDArray[np.generic]], tensors: Sequence[TensorSpec], spec: DetectionSpec
) -> int:
    """Return how many objects there are, whatever the count says."""
    most = outputs[spec.scores].size
    if spec.count is None:
        return most
    said = tensors[spec.count].dequantize(outputs[spec.count]).reshape(-1)[0]
    return int(np.clip(said * (spec.classes_per_box or 1), 0, most)) if np.isfinite(said) else 0


def _filled(count: int, spec: DetectionSpec, classes: int) -> NDArray[np.bool_]:
    """Return which of the first entries are filled: a box has one for each class at most."""
    each = spec.classes_per_box or 1
    return np.arange(count) % each < max(classes, 1)


def _corners(boxes: NDArray[np.float64], spec: DetectionSpec) -> NDArray[np.float64]:
    """Return left, top, right, bottom."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if spec.form == "corner-size":
        second = first + second
    elif spec.form == "center-size":
        first, second = first - second / 2, first + second / 2
    return np.concatenate([first, second], axis=1)
