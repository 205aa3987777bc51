"""How a detector learns: which cells answer for a thing, and how well they do.

A learner's output is (pictures, cells, 6 + classes), the cells of all grids one after another: x
and y of the cell's centre, then left, top, right and bottom of its box in pixels, then the logits.
So the loss needs to know nothing of strides. Targets are (pictures, most things of a picture, 5):
left, top, right and bottom in pixels, and the class, -1 in rows without a thing.

Which cells answer for a thing is decided again in each step by what the network says now (Feng et
al. 2021, "TOOD: Task-aligned One-stage Object Detection"): of the cells within its box those with
the best product of score and overlap. Their scores learn to be as high as their boxes are good
(Li et al. 2020, "Generalized Focal Loss"), so that of many answers the tightest wins; boxes learn
to overlap, to have the centre and the ratio of the true one (Zheng et al. 2020, "Distance-IoU
Loss").
"""

from __future__ import annotations

import math
from typing import Any

CENTRE, CORNERS, LOGITS = slice(0, 2), slice(2, 6), slice(6, None)
"""Where the parts of a cell's numbers are."""

CELLS = 10
"""This many cells answer for a thing, and those that are exactly as good as the last of them."""

SURE = 0.1
"""A teacher's box is learned in cells that score at least as much."""

_SCORE_POWER, _OVERLAP_POWER = 0.5, 6.0
_BOX_WEIGHT = 2.0
_LEAST = 1e-6


def box_loss() -> Any:
    """Return the Keras loss of a learner's output against boxes."""
    import keras

    class BoxLoss(keras.losses.Loss):  # type: ignore[misc]
        """Overlap of boxes and quality of scores, for a batch."""

        def call(self, targets: Any, outputs: Any) -> Any:
            """Return one number a picture: the batch's, which counts things, not pictures."""
            from keras import ops

            return ops.broadcast_to(_batch_loss(targets, outputs), (ops.shape(outputs)[0],))

    return BoxLoss(name="boxes")


def found_metric() -> Any:
    """Return the Keras metric: the share of true boxes that are found, 0 to 1.

    A thing is found if, of the cells within its box, the one with the highest score for its class
    has a box that overlaps the true one by half. Pictures without things do not count.
    """
    import keras

    class Found(keras.metrics.Mean):  # type: ignore[misc]
        """The mean over things."""

        def update_state(self, targets: Any, outputs: Any, sample_weight: Any = None) -> Any:
            """Take a batch."""
            from keras import ops

            targets, outputs = ops.convert_to_tensor(targets), ops.convert_to_tensor(outputs)
            truth = _Truth(targets, outputs)
            score = ops.where(truth.inside > 0, truth.scores, -1.0)
            best = ops.argmax(score, axis=-1)[..., None]
            overlap = ops.take_along_axis(truth.overlaps, best, axis=-1)[..., 0]
            return super().update_state(
                ops.cast(overlap >= 0.5, "float32"), sample_weight=truth.there
            )

    return Found(name="accuracy")


class _Truth:
    """Each true box held against each cell.

    Attributes:
        there: (pictures, things) 1 for a thing, 0 for an empty row.
        classes: (pictures, things, classes) 1 for the thing's class, else 0.
        overlaps: (pictures, things, cells) intersection over union.
        scores: (pictures, things, cells) of the thing's class, 0 to 1.
        inside: (pictures, things, cells) 1 where the cell's centre is in the box of a thing.
    """

    def __init__(self, targets: Any, outputs: Any) -> None:
        from keras import ops

        boxes, label = targets[..., :4], targets[..., 4]
        logits = outputs[..., LOGITS]
        self.there = ops.cast(label >= 0, "float32")
        self.classes = (
            ops.one_hot(ops.cast(ops.maximum(label, 0.0), "int32"), logits.shape[-1])
            * self.there[..., None]
        )
        self.overlaps = overlap(boxes[:, :, None], outputs[:, None, :, CORNERS])
        self.scores = ops.einsum("nmc,nac->nma", self.classes, ops.sigmoid(logits))
        x, y = outputs[:, None, :, 0], outputs[:, None, :, 1]
        left, top, right, bottom = (boxes[..., side, None] for side in range(4))
        ways = ops.stack([x - left, y - top, right - x, bottom - y])
        self.inside = ops.cast(ops.min(ways, axis=0) > 0, "float32") * self.there[..., None]


def _batch_loss(targets: Any, outputs: Any) -> Any:
    from keras import ops

    return _off(outputs, *assign(targets, ops.stop_gradient(outputs)))


def teacher_loss(answers: Any, outputs: Any) -> Any:
    """Return the loss where a teacher says what each cell is to answer.

    Scores are to be as high as the teacher's. Where it is sure enough that there is something,
    boxes are to overlap the teacher's.

    Args:
        answers: the output of a teacher's learner.
        outputs: that of the student's.
    """
    from keras import ops

    quality = ops.sigmoid(answers[..., LOGITS])
    cells = ops.cast(ops.max(quality, axis=-1) >= SURE, "float32")
    return _off(outputs, quality, cells, answers[..., CORNERS])


def _off(outputs: Any, quality: Any, cells: Any, boxes: Any) -> Any:
    """Return how far outputs are from what cells are to answer, as `assign` returns it."""
    from keras import ops

    logits = outputs[..., LOGITS]
    # A cell answers for one thing: the quality of its class weights its box.
    weight = ops.max(quality, axis=-1) * cells
    things = ops.maximum(ops.sum(weight), 1.0)
    off = 1.0 - complete_overlap(outputs[..., CORNERS], boxes)
    box = ops.sum(off * weight) / things
    score = ops.sum(quality_focal(logits, quality)) / things
    return _BOX_WEIGHT * box + score


def quality_focal(logits: Any, wanted: Any) -> Any:
    """Return the quality focal loss of each logit against the score, 0 to 1, that it is to have."""
    from keras import ops

    entropy = ops.maximum(logits, 0.0) - logits * wanted + ops.log1p(ops.exp(-ops.abs(logits)))
    return entropy * ops.square(wanted - ops.sigmoid(logits))


def assign(targets: Any, outputs: Any) -> tuple[Any, Any, Any]:
    """Return what each cell is to answer.

    Args:
        targets: see above.
        outputs: see above; nothing is learned through them here.

    Returns:
        (pictures, cells, classes) the score that each class is to have, 0 to 1; (pictures, cells)
        1 for cells that answer for a thing, else 0; (pictures, cells, 4) that thing's box.
    """
    from keras import ops

    truth = _Truth(targets, outputs)
    fit = truth.scores**_SCORE_POWER * truth.overlaps**_OVERLAP_POWER * truth.inside
    count = min(CELLS, int(outputs.shape[1]))
    least = ops.top_k(fit, count)[0][..., -1:]
    chosen = ops.cast(ops.logical_and(fit >= least, fit > 0), "float32")
    # A cell answers for one thing: the one that its box overlaps most.
    things = ops.argmax(truth.overlaps * chosen, axis=1)
    only = ops.one_hot(things, targets.shape[1], axis=1)
    chosen = chosen * only
    fit, overlaps = fit * chosen, truth.overlaps * chosen
    # The best cell of a thing is to score as much as its box overlaps, others their share of it.
    share = fit / (ops.max(fit, axis=-1, keepdims=True) + _LEAST**2)
    quality = share * ops.max(overlaps, axis=-1, keepdims=True)
    return (
        ops.clip(ops.einsum("nma,nmc->nac", quality, truth.classes), 0.0, 1.0),
        ops.max(chosen, axis=1),
        ops.take_along_axis(targets[..., :4], things[..., None], axis=1),
    )


def overlap(one: Any, other: Any) -> Any:
    """Return intersection over union of boxes, (..., 4) each, as (...)."""
    shared, union = _areas(one, other)
    return shared / union


def complete_overlap(one: Any, other: Any) -> Any:
    """Return the overlap less what centres and ratios are apart, 1 for equal boxes.

    Boxes that do not overlap have values below 0, which still say in which direction to go.
    """
    from keras import ops

    shared, union = _areas(one, other)
    iou = shared / union
    around = ops.maximum(one[..., 2:], other[..., 2:]) - ops.minimum(one[..., :2], other[..., :2])
    diagonal = ops.sum(ops.square(around), axis=-1) + _LEAST
    apart = one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]
    away = ops.sum(ops.square(apart), axis=-1) / 4
    angle = ops.arctan2(*_sides(other)) - ops.arctan2(*_sides(one))
    ratio = (4 / math.pi**2) * ops.square(angle)
    weight = ops.stop_gradient(ratio / (1 - iou + ratio + _LEAST))
    return iou - away / diagonal - weight * ratio


def _areas(one: Any, other: Any) -> tuple[Any, Any]:
    """Return the area that boxes share, and that of both together."""
    from keras import ops

    first, last = (
        ops.maximum(one[..., :2], other[..., :2]),
        ops.minimum(one[..., 2:], other[..., 2:]),
    )
    shared = ops.prod(ops.maximum(last - first, 0.0), axis=-1)
    areas = [width * height for width, height in (_sides(one), _sides(other))]
    return shared, areas[0] + areas[1] - shared + _LEAST


def _sides(boxes: Any) -> tuple[Any, Any]:
    """Return width and height, 0 or a little more."""
    from keras import ops

    return (
        ops.maximum(boxes[..., 2] - boxes[..., 0], 0.0) + _LEAST,
        ops.maximum(boxes[..., 3] - boxes[..., 1], 0.0) + _LEAST,
    )
