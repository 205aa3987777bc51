"""Losses and the metric of measured values; the outputs are scaled to -1 to 1."""

from __future__ import annotations

from typing import Any

from edgeinfer.host.tasks.loss_settings import LossSettings

HUBER_DELTA = 0.1
"""Errors below a twentieth of the range count by their square, larger ones by their size."""


def value_loss(settings: LossSettings) -> Any:
    """Return the Keras loss of outputs against scaled values.

    `mse` is the mean square, `mae` the mean size of the errors. `huber` is the square of small
    errors and the size of large ones, in units of `HUBER_DELTA`, so that it is about 1 at a
    twentieth of the range. `circular` is 1 less the cosine of the angle between the output and the
    truth, each a sine and a cosine, and a little for an output that is not on the circle.
    """
    import keras

    if settings.name == "mse":
        return keras.losses.MeanSquaredError()
    if settings.name == "mae":
        return keras.losses.MeanAbsoluteError()
    measure = _circular if settings.name == "circular" else _huber

    class ValueLoss(keras.losses.Loss):  # type: ignore[misc]
        """The mean of `measure` over a batch."""

        def call(self, targets: Any, outputs: Any) -> Any:
            """Return the loss of each picture."""
            return measure(targets, outputs)

    return ValueLoss(name=settings.name)


def closeness_metric() -> Any:
    """Return the Keras metric: 1 less the mean error as a share of the range, 0 to 1."""
    import keras

    return keras.metrics.MeanMetricWrapper(_closeness, name="accuracy")


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

    return ops.mean(1.0 - ops.clip(ops.abs(outputs - targets) / 2.0, 0.0, 1.0), axis=-1)
