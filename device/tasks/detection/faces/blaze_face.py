"""BlazeFace's boxes and points, relative to a grid of anchors, to faces.

Sources: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
(its anchors, and that boxes of one face are averaged by their scores); strides, sizes, thresholds
and the points' order are those that MediaPipe publishes in the options of its face detection
graphs: anchors of the image's own size, offsets and sizes in pixels of the model's image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.faces.prediction import Faces
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.spec import AnchorSpec, Decoder

POINTS = ("right eye", "left eye", "nose tip", "mouth", "right ear", "left ear")
"""In the order of the numbers; right is the person's own."""

_Grids = tuple[tuple[int, ...], tuple[int, ...]]
_KNOWN: dict[tuple[int, int], _Grids] = {
    (128, 896): ((8, 16), (2, 6)),
    (256, 896): ((16, 32), (2, 6)),
    (192, 2304): ((4,), (1,)),
}
"""Strides and anchors a cell by the side of the model's image and the number of anchors: the short
range, the back camera's and the full range model."""
_MOST_LOGIT = 100.0


def guess_faces(shown: Shown) -> Guess | None:
    """Return how a BlazeFace is to be read; None for any other model."""
    shapes = [output.shape for output in shown.outputs]
    height, width = (*shown.inputs[0].shape, 0, 0, 0)[1:3]
    if len(shapes) != 2 or height != width or any(len(shape) != 3 for shape in shapes):
        return None
    boxes = next((i for i, shape in enumerate(shapes) if shape[2] == 4 + 2 * len(POINTS)), None)
    if boxes is None:
        return None
    count = shapes[boxes][1]
    known = _KNOWN.get((height, count))
    if known is None or shapes[boxes][0] != 1 or shapes[1 - boxes] != (1, count, 1):
        return None
    strides, per_cell = known
    spec = AnchorSpec(
        boxes=boxes, scores=1 - boxes, strides=strides, per_cell=per_cell, points=POINTS
    )
    return Guess(
        task="detection",
        decoder=Decoder(anchors=spec),
        classes=1,
        labels=("face",),
        crop="letterbox",
        input_range="-1..1",
        reason=f"a BlazeFace, by its {count} anchors for {height} x {width} pixels",
    )


def adjusted_anchors(spec: AnchorSpec, answer: AnswerOptions) -> AnchorSpec:
    """Return the spec with what the user says of scores and overlap."""
    if answer.min_score is not None:
        spec = replace(spec, min_score=answer.min_score)
    return spec if answer.iou is None else replace(spec, iou=answer.iou)


def anchor_rows(spec: AnchorSpec) -> list[tuple[str, str]]:
    """Return how the outputs are read, for people."""
    grids = ", ".join(f"{n} every {s} px" for s, n in zip(spec.strides, spec.per_cell, strict=True))
    return [
        ("outputs", f"boxes and {len(spec.points)} points {spec.boxes}, scores {spec.scores}"),
        ("anchors", grids),
        ("min score", f"{spec.min_score:g}, one object from an overlap of {spec.iou:g}"),
    ]


def check_anchors(spec: AnchorSpec, labels: tuple[str, ...], outputs: Sequence[TensorSpec]) -> None:
    """Refuse outputs that are not boxes with points and scores of as many anchors.

    Raises:
        ValueError: with what was found and what was expected.
    """
    if max(spec.boxes, spec.scores) >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected two of boxes and scores")
    shapes = [outputs[number].shape for number in (spec.boxes, spec.scores)]
    numbers = 4 + 2 * len(spec.points)
    count = shapes[0][1] if len(shapes[0]) == 3 else 0
    if shapes != [(1, count, numbers), (1, count, 1)]:
        raise ValueError(
            f"outputs of boxes and scores are {shapes}, expected (1, N, {numbers}) and (1, N, 1)"
        )
    if len(labels) != 1:
        raise ValueError(f"{len(labels)} labels, expected 1 for one class")


def anchor_centres(spec: AnchorSpec, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the centres of all anchors, (anchors, 2): x and y in pixels of an image of `size`.

    >>> anchor_centres(AnchorSpec(strides=(2,), per_cell=(1,)), (4, 2)).tolist()
    [[1.0, 1.0], [3.0, 1.0]]
    """
    centres = []
    for stride, count in zip(spec.strides, spec.per_cell, strict=True):
        columns, rows = (-(-side // stride) for side in size)
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        cells = np.stack([x / columns * size[0], y / rows * size[1]], axis=-1).reshape(-1, 2)
        centres.append(np.repeat(cells, count, axis=0))
    return np.concatenate(centres)


def faces_decoder(
    spec: AnchorSpec,
    tensors: Sequence[TensorSpec],
    *,
    labels: tuple[str, ...],
    size: tuple[int, int],
    placing: Placing | None,
) -> Callable[[Sequence[NDArray[np.generic]]], Faces]:
    """Return what turns the outputs into faces in the model's own image.

    Args:
        spec: which output is what, and where the anchors are.
        tensors: the outputs' specs.
        labels: the name of the class.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.

    Raises:
        ValueError: there are not as many anchors as boxes.
    """
    centres, count = anchor_centres(spec, size), len(spec.points)
    if len(centres) != tensors[spec.boxes].shape[1]:
        raise ValueError(
            f"{tensors[spec.boxes].shape[1]} boxes, expected {len(centres)}: one an anchor"
        )

    def decode(outputs: Sequence[NDArray[np.generic]]) -> Faces:
        logits = tensors[spec.scores].dequantize(outputs[spec.scores]).reshape(-1)
        scores = 1 / (1 + np.exp(-np.clip(np.nan_to_num(logits, nan=-1e9), *_LIMITS)))
        found = np.flatnonzero(scores >= spec.min_score)
        found = found[np.argsort(-scores[found], kind="stable")]
        rows = tensors[spec.boxes].dequantize(outputs[spec.boxes])[0][found]
        centre, half = rows[:, :2] + centres[found], rows[:, 2:4] / 2
        points = rows[:, 4:].reshape(len(found), count, 2) + centres[found][:, None]
        places = np.concatenate(
            [centre - half, centre + half, points.reshape(len(found), 2 * count)], axis=1
        )
        # A box has a size above 0.
        kept = np.isfinite(places).all(axis=1) & (half > 0).all(axis=1)
        merged, best = merge_overlapping(places[kept], scores[found][kept], spec.iou)
        return Faces(
            labels=labels,
            boxes=merged[:, :4],
            classes=np.zeros(len(merged), np.int64),
            scores=best,
            points=merged[:, 4:].reshape(len(merged), count, 2),
            point_names=spec.points,
            size=size,
            placing=placing,
        )

    return decode


_LIMITS = (-_MOST_LOGIT, _MOST_LOGIT)


def merge_overlapping(
    places: NDArray[np.float64], scores: NDArray[np.float64], iou: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one row for each object: the mean, weighted by score, of the rows whose boxes overlap.

    Args:
        places: (boxes, 4 or more): left, top, right, bottom, and what is averaged with them; the
            surest first.
        scores: (boxes,), above 0.
        iou: intersection over union with the surest from which a box is of the same object.

    Returns:
        The rows, and for each the highest score among those that it is made of.
    """
    merged, best = [], []
    # Beyond any picture: products stay finite.
    places = np.clip(places, -1e9, 1e9)
    left = np.arange(len(places))
    areas = (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
    while len(left):
        first, others = places[left[0]], places[left]
        sides = np.minimum(first[2:4], others[:, 2:4]) - np.maximum(first[:2], others[:, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        same = shared > iou * (areas[left[0]] + areas[left] - shared)
        same[0] = True
        weights = scores[left[same]]
        merged.append((places[left[same]] * weights[:, None]).sum(axis=0) / weights.sum())
        best.append(scores[left[0]])
        left = left[~same]
    return np.array(merged).reshape(-1, places.shape[1]), np.array(best, np.float64)
