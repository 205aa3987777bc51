"""How points are learned: a hill of scores around the centre of each thing, and the way to it.

A learner's output is (pictures, cells, 4 + classes), row by row: x and y of the cell's centre, x
and y of its point in pixels, then the logits. Targets are (pictures, most things of a picture, 5):
left, top, right and bottom in pixels, and the class, -1 in rows without a thing.

A cell's score is to be as high as the hill of a thing at its centre, a Gaussian that is wider for
large things (X. Zhou et al. 2019, "Objects as Points"), and 1 in the cell that holds the centre.
Scores learn it by the quality focal loss (X. Li et al. 2020, "Generalized Focal Loss"), so that
cells near a centre count little, and the many that are right already almost nothing. Cells high on
a hill learn the way to its centre.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.tasks.detection.loss import quality_focal
from edgeinfer.host.tasks.points.network import STRIDE

CENTRE, POINT, LOGITS = slice(0, 2), slice(2, 4), slice(4, None)
"""Where the parts of a cell's numbers are."""

HIGH = 0.5
"""Cells above this height learn the way to the centre."""

LEAST_SCORE = 0.25
"""The metric counts things whose cell scores at least as much."""

_WIDEST = 8.0
"""Of a thing's side, the part that is one standard deviation of its hill."""


def centres_loss() -> Any:
    """Return the Keras loss of a learner's output against boxes."""
    import keras

    class CentresLoss(keras.losses.Loss):  # type: ignore[misc]
        """Scores and ways, for a batch."""

        def call(self, targets: Any, outputs: Any) -> Any:
            """Return one number a picture: the batch's, which counts things, not pictures."""
            from keras import ops

            return ops.broadcast_to(_batch_loss(targets, outputs), (ops.shape(outputs)[0],))

    return CentresLoss(name="centres")


def found_metric() -> Any:
    """Return the Keras metric: the share of things that are found, 0 to 1.

    A thing is found if, of the cells in its box and the one that holds its centre, the surest for
    its class has a score of `LEAST_SCORE` or more and its point in the box. Pictures without things
    do not count.
    """
    import keras

    class Found(keras.metrics.Mean):  # type: ignore[misc]
        """The mean over things."""

        def update_state(self, targets: Any, outputs: Any, sample_weight: Any = None) -> Any:
            """Take a batch."""
            from keras import ops

            targets, outputs = ops.convert_to_tensor(targets), ops.convert_to_tensor(outputs)
            there, classes = _classes(targets, outputs)
            scores = ops.einsum("nmc,nac->nma", classes, ops.sigmoid(outputs[..., LOGITS]))
            near = ops.logical_or(
                _inside(targets, outputs[..., CENTRE]), _holds(targets, outputs[..., CENTRE])
            )
            score = ops.where(near, scores, -1.0)
            best = ops.argmax(score, axis=-1)[..., None]
            hits = ops.cast(_inside(targets, outputs[..., POINT]), "float32")
            hit = ops.take_along_axis(hits, best, axis=-1)[..., 0]
            sure = ops.cast(ops.max(score, axis=-1) >= LEAST_SCORE, "float32")
            return super().update_state(hit * sure, sample_weight=there)

    return Found(name="accuracy")


def hills(targets: Any, outputs: Any) -> Any:
    """Return (pictures, things, cells) how high the hill of each thing is in each cell, 0 to 1."""
    from keras import ops

    centres = (targets[..., :2] + targets[..., 2:4]) / 2
    sides = targets[..., 2:4] - targets[..., :2]
    wide = ops.maximum(sides / _WIDEST, STRIDE / 2)
    away = (outputs[:, None, :, CENTRE] - centres[:, :, None]) / wide[:, :, None]
    height = ops.exp(-ops.sum(ops.square(away), axis=-1) / 2)
    height = ops.where(_holds(targets, outputs[..., CENTRE]), 1.0, height)
    return height * ops.cast(targets[..., 4] >= 0, "float32")[..., None]


def _batch_loss(targets: Any, outputs: Any) -> Any:
    from keras import ops

    there, classes = _classes(targets, outputs)
    things = ops.maximum(ops.sum(there), 1.0)
    height = hills(targets, outputs)
    wanted = ops.max(height[..., None] * classes[:, :, None], axis=1)
    nearest = ops.argmax(height, axis=1)
    centres = (targets[..., :2] + targets[..., 2:4]) / 2
    centres = ops.take_along_axis(centres, nearest[..., None], axis=1)
    return _off(outputs, wanted, centres) / things


def teacher_loss(answers: Any, outputs: Any) -> Any:
    """Return the loss where a teacher says how high each cell's scores are, and where points are.

    Args:
        answers: the output of a teacher's learner.
        outputs: that of the student's.
    """
    from keras import ops

    wanted = ops.sigmoid(answers[..., LOGITS])
    highest = ops.max(wanted, axis=-1)
    # The hills' own widths are not known here: what is high stands for a part of a thing.
    things = ops.maximum(ops.sum(ops.where(highest > HIGH, highest, 0.0)), 1.0)
    return _off(outputs, wanted, answers[..., POINT]) / things


def _off(outputs: Any, wanted: Any, centres: Any) -> Any:
    """Return how far outputs are from the scores that are wanted and, where they are high, points.

    Args:
        outputs: of a learner.
        wanted: (pictures, cells, classes) 0 to 1.
        centres: (pictures, cells, 2) in pixels.
    """
    from keras import ops

    score = ops.sum(quality_focal(outputs[..., LOGITS], wanted))
    off = ops.abs(outputs[..., POINT] - centres) / STRIDE
    smooth = ops.sum(ops.where(off < 1.0, ops.square(off) / 2, off - 0.5), axis=-1)
    highest = ops.max(wanted, axis=-1)
    return score + ops.sum(smooth * ops.where(highest > HIGH, highest, 0.0))


def _classes(targets: Any, outputs: Any) -> tuple[Any, Any]:
    """Return (pictures, things) 1 for a thing; (pictures, things, classes) 1 for its class."""
    from keras import ops

    there = ops.cast(targets[..., 4] >= 0, "float32")
    label = ops.cast(ops.maximum(targets[..., 4], 0.0), "int32")
    return there, ops.one_hot(label, outputs[..., LOGITS].shape[-1]) * there[..., None]


def _inside(targets: Any, places: Any) -> Any:
    """Return (pictures, things, cells) whether a place of each cell is in the box of each thing."""
    from keras import ops

    x, y = places[:, None, :, 0], places[:, None, :, 1]
    left, top, right, bottom = (targets[..., side, None] for side in range(4))
    ways = ops.stack([x - left, y - top, right - x, bottom - y])
    return ops.min(ways, axis=0) >= 0


def _holds(targets: Any, centres: Any) -> Any:
    """Return (pictures, things, cells) whether each cell holds the centre of each thing."""
    from keras import ops

    middle = (targets[..., :2] + targets[..., 2:4]) / 2
    away = middle[:, :, None] - centres[:, None]
    half = STRIDE / 2
    return ops.all(ops.logical_and(away >= -half, away < half), axis=-1)
