"""The model that learns instead of a network of points: its cells in a row, in pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeinfer.host.tasks.points.network import STRIDE


def in_pixels(model: Any) -> Any:
    """Return a model whose output is that of all cells, as `loss.py` says; it shares all weights.

    Args:
        model: a network of `with_points`.
    """
    import keras

    return keras.Model(model.input, _cells(*model.output), name=model.name)


def _cells(scores: Any, places: Any) -> Any:
    """Return (pictures, cells, 4 + classes)."""
    from keras import ops

    rows, columns, classes = scores.shape[1:]
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    known = np.stack([x, y], axis=-1).astype(np.float32).reshape(1, -1, 2) * STRIDE
    ways = ops.reshape(places, (-1, rows * columns, 2)) * float(STRIDE)
    # A tensor of the batch's length, with the same places for each picture.
    centres = ops.zeros_like(ways) + known
    logits = ops.reshape(scores, (-1, rows * columns, classes))
    return ops.concatenate([centres, centres + ways, logits], axis=-1)
