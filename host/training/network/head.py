"""A task's own head on a network."""

from __future__ import annotations

from typing import Any

from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import TaughtTask

_START = "edgeinfer_head_start"
"""The attribute of a model with a head of its task, for as long as the model is in memory."""

_GRID_AXES = 4
"""Of a batch of features at places: (batch, rows, columns, channels)."""


def with_head(model: Any, lesson: Lesson) -> Any:
    """Return a model of `edgeinfer.host.models` with the task's own layers from features to
    numbers.

    A model that already has these layers is returned unchanged, and so is a network whose own
    layers keep places, such as `spatial-cnn`: it has no grid of features below `pool`.

    Raises:
        UsageError: the task needs features that the model does not have.
    """
    import keras

    own = lesson.task.network(model, lesson.said)
    if own is not None:
        return own

    features = model.get_layer("pool").input
    if type(lesson.task).vector is TaughtTask.vector or len(features.shape) != _GRID_AXES:
        return model
    vector = lesson.task.vector(features)
    logits = keras.layers.Dense(lesson.numbers, name="logits")(vector)
    whole = keras.Model(model.input, logits, name=model.name)
    setattr(whole, _START, features)
    return whole


def head_start(model: Any) -> Any:
    """Return the tensor from which a model's head starts: below it are pretrained weights.

    Of a head of `with_head` it is the network's features, since the head's own layers begin with
    random weights; of others the output of `pool`, which has none.
    """
    start = getattr(model, _START, None)
    return model.get_layer("pool").output if start is None else start
