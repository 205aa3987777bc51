"""Losses and the metric of measured values; the outputs are scaled to -1 to 1."""

from __future__ import annotations

from typing import Any

from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.value.choices import WEIGHT, choice_loss, only_values

HUBER_DELTA = 0.1
"""Errors below a twentieth of the range count by their square, larger ones by their size."""


def value_loss(settings: LossSettings) -> Any:
    """Return the Keras loss of outputs against scaled values.

    `mse` is the mean square, `mae` the mean size of the errors. `huber` is the square of small
    errors and the size of large ones, in units of `HUBER_DELTA`, so that it is about 1 at a
    twentieth of the range. `circular` is 1 less the cosine of the angle between the output and the
    truth, each a sine and a cosine, and a little for an output that is not on the circle. Where a
    network chooses among readings, the loss of its choice comes on top; see `choices.py`.
    """
    import keras

    measure, weight = _MEASURES[settings.name]

    class ValueLoss(keras.losses.Loss):  # type: ignore[misc]
        """The mean of `measure` over a batch, and of the choice among readings."""

        def call(self, targets: Any, outputs: Any) -> Any:
            """Return the loss of each picture."""
            off = measure(targets, only_values(targets, outputs))
            choice = choice_loss(targets, outputs)
            return off if choice is None else off + weight * choice

    return ValueLoss(name=settings.name)


def closeness_metric() -> Any:
    """Return the Keras metric: 1 less the mean error as a share of the range, 0 to 1."""
    import keras

    return keras.metrics.MeanMetricWrapper(_closeness, name="accuracy")


def _mean_square(targets: Any, outputs: Any) -> Any:
    from keras import ops

    return ops.mean(ops.square(outputs - targets), axis=-1)


def _mean_size(targets: Any, outputs: Any) -> Any:
    from keras import ops

    return ops.mean(ops.abs(outputs - targets), axis=-1)


def _huber(targets: Any, outputs: Any) -> Any:
    from keras import ops

    errors = ops.abs(outputs - targets) / HUBER_DELTA
    near = ops.minimum(errors, 1.0)
    return ops.mean(near * (errors - 0.5 * near), axis=-1)


def _circular(targets: Any, outputs: Any) -> Any:
    from keras import ops

    pairs = ops.reshape(outputs, (-1, outputs.shape[-1] // 2, 2))
    true = ops.reshape(targets, (-1, outputs.shape[-1] // 2, 2))
    length = ops.sqrt(ops.sum(ops.square(pairs), axis=-1) + 1e-12)
    cosine = ops.sum(pairs * true, axis=-1) / length
    return ops.mean(1.0 - cosine + 0.1 * ops.square(length - 1.0), axis=-1)


def _closeness(targets: Any, outputs: Any) -> Any:
    from keras import ops

    off = ops.abs(only_values(targets, outputs) - targets)
    return ops.mean(1.0 - ops.clip(off / 2.0, 0.0, 1.0), axis=-1)


_MEASURES = {
    "huber": (_huber, WEIGHT / HUBER_DELTA),
    "mse": (_mean_square, WEIGHT),
    "mae": (_mean_size, WEIGHT),
    "circular": (_circular, WEIGHT),
}
"""How each loss measures a value's error, and what the choice among readings weighs next to it."""
