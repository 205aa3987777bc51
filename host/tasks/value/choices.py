"""How networks that choose among readings learn to choose, and not only to give the right value.

The value is the mean of all readings, weighted by the network's shares. A loss of the value alone
is met by many shares; that of the choice asks for shares near the truth, as for classes, where
neighbours of the right reading are nearly right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeinfer.host.models.spatial_cnn import REACH, READINGS, chosen

WEIGHT = 0.05
"""Of the loss of the choice, next to a mean error in units of half the range.

Measured with 132,000 drawn gauges seen, at 96 pixels, with the angles of needle and scale as
further targets: mean error on others 1.38 % of the range with it, 1.70 % without.
"""


def with_choices(model: Any) -> Any:
    """Return a model whose output also has the shares of readings, (pictures, n + n * READINGS).

    Args:
        model: from pictures to n numbers; without a choice among readings it is returned unchanged.
    """
    import keras

    shares = chosen(model)
    if shares is None:
        return model
    return keras.Model(model.input, keras.layers.Concatenate()([model.output, shares]))


def only_values(targets: Any, outputs: Any) -> Any:
    """Return the values of outputs with or without shares of readings."""
    return outputs[:, : targets.shape[-1]]


def choice_loss(targets: Any, outputs: Any) -> Any | None:
    """Return the cross-entropy of the shares of readings, (pictures,); None without shares.

    The truth is a bell over the readings, as wide as the distance between two.

    Args:
        targets: (pictures, n) scaled values.
        outputs: (pictures, n) without shares, or as `with_choices` gives them.
    """
    from keras import ops

    values = targets.shape[-1]
    if outputs.shape[-1] == values:
        return None
    readings = np.linspace(-REACH, REACH, READINGS, dtype=np.float32)
    distances = (targets[..., None] - readings) / (readings[1] - readings[0])
    bell = ops.exp(-0.5 * ops.square(distances))
    truth = bell / ops.sum(bell, axis=-1, keepdims=True)
    shares = ops.reshape(outputs[:, values:], (-1, values, READINGS))
    return ops.mean(-ops.sum(truth * ops.log(shares + 1e-7), axis=-1), axis=-1)
