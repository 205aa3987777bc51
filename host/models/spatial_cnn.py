"""A CNN that keeps places, for quantities that depend on where things are, such as a needle.

The other networks average their features over the picture, which is right for "is there a cat" and
loses an angle. Here the last features, on a grid of about 6x6, are weighted place by place, by a
convolution as large as the grid, so that batch normalization folds into it. Then a softmax over
readings (`pool`) lets one place of the scale win, and the last layer weights each by its value:
its weights begin as steps over the range of the targets. Learning where a needle stands is choosing
among places, and a network that begins with places to choose among learns it from far fewer
pictures than one that must bend a line.

The 7x7 stem with a stride of 4 sees lines of a few pixels to a fraction of one, since its filters
answer in different strengths, and costs a tenth of the arithmetic. Convolutions, ReLU, softmax and
dense layers are what each runtime and accelerator has in INT8.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.models.blocks import KERAS_BATCH_NORM, conv, kernel_initializer, scaled

_FINAL_SIDE = 7
_STEM_FILTERS, _FILTERS, _MAX_FILTERS = 32, 64, 96
_FEATURES, _COMBINED = 128, 64
_READINGS = 48
_REACH = 1.1
"""The readings' first values are from -_REACH to _REACH, a little beyond targets of -1 to 1."""


def build(
    input_shape: tuple[int, int, int], classes: int, *, initializer: str, width: float
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out."""
    import keras
    import numpy as np

    layers, started = keras.layers, kernel_initializer(initializer)
    shared: dict[str, Any] = {"activation": "relu", "initializer": initializer}
    inputs = keras.Input(input_shape, name="image")
    side = min(input_shape[:2])
    kernel, stride = (7, 4) if side > 64 else (5, 2) if side > 32 else (3, 1)
    stem = scaled(_STEM_FILTERS, width)
    x = conv(inputs, stem, kernel=kernel, stride=stride, name="stem", **shared)
    filters, stage = _FILTERS, 0
    while min(x.shape[1:3]) > _FINAL_SIDE:
        x = conv(x, scaled(filters, width), stride=2, name=f"stage{stage}_down", **shared)
        if min(x.shape[1:3]) > _FINAL_SIDE:
            x = conv(x, scaled(filters, width), name=f"stage{stage}_same", **shared)
        filters, stage = min(_MAX_FILTERS, filters + 32), stage + 1
    x = layers.Conv2D(
        scaled(_FEATURES, width),
        x.shape[1:3],
        use_bias=False,
        kernel_initializer=started,
        name="places_conv",
    )(x)
    x = layers.BatchNormalization(name="places_bn", **KERAS_BATCH_NORM)(x)
    x = layers.ReLU(name="places_relu")(x)
    x = layers.Flatten(name="places")(x)
    x = layers.Dense(
        scaled(_COMBINED, width), activation="relu", kernel_initializer=started, name="combined"
    )(x)
    x = layers.Dense(_READINGS, kernel_initializer=started, name="readings")(x)
    x = layers.Softmax(name="pool")(x)
    steps = np.linspace(-_REACH, _REACH, _READINGS, dtype=np.float32)
    outputs = layers.Dense(
        classes,
        kernel_initializer=keras.initializers.Constant(np.tile(steps[:, None], (1, classes))),
        name="logits",
    )(x)
    return keras.Model(inputs, outputs, name="spatial_cnn")
