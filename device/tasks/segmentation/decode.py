"""A class map, or scores for each class and place, to a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tasks.prediction import Placing
from edgeinfer.device.tasks.segmentation.prediction import UNSEEN, Mask
from edgeinfer.device.tasks.spec import Decoder

MAX_CLASSES = UNSEEN
"""A mask has a byte for each class, and one value stands for what was not seen."""


def decode_mask(
    output: NDArray[np.generic],
    tensor: TensorSpec,
    decoder: Decoder,
    labels: tuple[str, ...],
    *,
    size: tuple[int, int],
    placing: Placing | None,
) -> Mask:
    """Turn a segmenter's output into a mask over its own image.

    Args:
        output: (1, rows, columns) class indices; (1, rows, columns, classes) scores, the largest of
            which counts; or (1, rows, columns, 1): integers that are not quantized numbers are
            class indices, anything else is the score of the second of two classes, which wins above
            a probability of one half, or a logit of 0 where the decoder has an activation.
        tensor: its spec.
        decoder: says whether scores are logits.
        labels: the class names, the background first.
        size: (width, height) of the model's image.
        placing: how frames are placed in it.
    """
    values = output.reshape(output.shape[1:])
    classes: NDArray[np.generic]
    if values.ndim == 2 or (values.shape[2] == 1 and holds_indices(tensor)):
        indices = values.reshape(values.shape[:2])
        classes = np.where((indices >= 0) & (indices < UNSEEN), indices, UNSEEN)  # type: ignore[operator]
    elif values.shape[2] == 1:
        limit = 0.0 if decoder.activation == "softmax" else 0.5
        classes = tensor.dequantize(values[..., 0]) > limit
    else:
        classes = values.argmax(axis=2)
    return Mask(
        labels=labels,
        classes=classes.astype(np.uint8),
        box=(0.0, 0.0, float(size[0]), float(size[1])),
        size=size,
        placing=placing,
    )


def holds_indices(tensor: TensorSpec) -> bool:
    """True for an output of class indices: integers that stand for themselves."""
    return not tensor.dtype.startswith("float") and not tensor.scale
