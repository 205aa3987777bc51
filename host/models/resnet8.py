"""ResNet8, the image classifier of MLPerf Tiny, trained from scratch.

Source: Banbury et al. 2021, "MLPerf Tiny Benchmark": CIFAR-10 at 32x32, three stacks of one
residual block each with 16, 32 and 64 filters, 78,666 parameters, 87.2 % float and 87.0 % INT8.
The convolutions here have only batch normalization and no bias, so there are slightly fewer.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.models.blocks import (
    classifier,
    conv,
    kernel_initializer,
    scaled,
)


def build(
    input_shape: tuple[int, int, int], classes: int, *, initializer: str, width: float
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out."""
    import keras

    shared: dict[str, Any] = {"activation": "relu", "initializer": initializer}
    inputs = keras.Input(input_shape, name="image")
    x = conv(inputs, scaled(16, width), name="stem", **shared)
    for stack, channels in enumerate((16, 32, 64)):
        filters, stride = scaled(channels, width), 1 if stack == 0 else 2
        y = conv(x, filters, stride=stride, name=f"stack{stack}_first", **shared)
        y = conv(y, filters, activation=None, initializer=initializer, name=f"stack{stack}_second")
        if stride != 1:
            x = keras.layers.Conv2D(
                filters,
                1,
                strides=stride,
                padding="same",
                kernel_initializer=kernel_initializer(initializer),
                name=f"stack{stack}_shortcut",
            )(x)
        x = keras.layers.Add(name=f"stack{stack}_add")([x, y])
        x = keras.layers.ReLU(name=f"stack{stack}_relu")(x)
    outputs = classifier(x, classes, initializer=initializer)
    return keras.Model(inputs, outputs, name="resnet8")
