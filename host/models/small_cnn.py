"""A small depthwise-separable CNN for microcontroller-sized budgets, trained from scratch.

After Howard et al. 2017 ("MobileNets"): a full convolution, then pairs of a depthwise and a 1x1
convolution. Enough of them halve the picture to reach about 7x7, so the same architecture works for
28x28 digits and 224x224 photographs.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.models.blocks import classifier, conv, depthwise, scaled

_FINAL_SIDE = 8
_MAX_FILTERS = 256


def build(
    input_shape: tuple[int, int, int], classes: int, *, initializer: str, width: float
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out."""
    import keras

    inputs = keras.Input(input_shape, name="image")
    side = min(input_shape[:2])
    # A full convolution on a picture that is already small keeps its detail.
    stem_stride = 2 if side > 64 else 1
    filters = 32
    x = conv(
        inputs,
        scaled(filters, width),
        stride=stem_stride,
        activation="relu",
        initializer=initializer,
        name="stem",
    )
    side //= stem_stride
    block = 0
    while True:
        stride = 2 if side >= 2 * _FINAL_SIDE - 2 else 1
        filters = min(filters * 2, _MAX_FILTERS)
        for repeat in range(2):
            x = depthwise(
                x,
                stride=stride if repeat == 0 else 1,
                initializer=initializer,
                name=f"block{block}_depthwise",
            )
            x = conv(
                x,
                scaled(filters, width),
                kernel=1,
                activation="relu",
                initializer=initializer,
                name=f"block{block}_pointwise",
            )
            block += 1
        side = -(-side // stride)
        if stride == 1 or side < 2 * _FINAL_SIDE - 2:
            break
    outputs = classifier(x, classes, initializer=initializer)
    return keras.Model(inputs, outputs, name="small_cnn")
