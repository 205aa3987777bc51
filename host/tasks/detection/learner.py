"""The model that learns in a detector's place: its grids joined, with boxes in pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeinfer.host.tasks.detection.network import STRIDES, boxes_name, output_names, scores_name

_FARTHEST = 6.0
"""The logarithm of the longest way that is learned, in strides: beyond any picture."""


def joined(model: Any) -> Any:
    """Return a model whose output is that of all cells, as `loss.py` says; it shares all weights.

    Args:
        model: a detector of `with_boxes`.
    """
    import keras

    outputs = dict(zip(output_names(), model.output, strict=True))
    grids = [
        _cells(outputs[boxes_name(stride)], outputs[scores_name(stride)], stride)
        for stride in STRIDES
    ]
    return keras.Model(model.input, keras.ops.concatenate(grids, axis=1), name=model.name)


def _cells(boxes: Any, scores: Any, stride: int) -> Any:
    """Return (pictures, cells, 6 + classes) of one grid."""
    from keras import ops

    rows, columns = boxes.shape[1:3]
    x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    places = np.stack([x, y], axis=-1).astype(np.float32).reshape(1, -1, 2) * stride
    reach = ops.exp(ops.clip(ops.reshape(boxes, (-1, rows * columns, 4)), -_FARTHEST, _FARTHEST))
    reach = reach * float(stride)
    # A tensor of the batch's length, with the same places for each picture.
    centres = ops.zeros_like(reach[..., :2]) + places
    return ops.concatenate(
        [
            centres,
            centres - reach[..., :2],
            centres + reach[..., 2:],
            ops.reshape(scores, (-1, rows * columns, scores.shape[-1])),
        ],
        axis=-1,
    )
