"""A CNN that keeps places, for quantities that depend on where things are, such as a needle.

The other networks average their features over the picture, which is right for "is there a cat" and
loses an angle. Here the last features, on a grid of 6x6 to 8x8, are weighted place by place, by a
convolution as large as the grid, so that batch normalization folds into it. Then a softmax over
readings lets one place of the scale win, and the last layer weights each by its value: its weights
begin as steps over the range of the targets. Learning where a needle stands is choosing among
places, and a network that begins with places to choose among learns it from far fewer pictures than
one that must bend a line. Each output has its own readings; `pool` is all of them in a row.

A loss may compare the choice itself with the truth (`chosen`), which says more than the distance of
one number: with 132,000 drawn gauges seen the mean error was a fifth smaller.

The 7x7 stem with a stride of 4 sees lines of a few pixels to a fraction of one, since its filters
answer in different strengths, and costs a tenth of the arithmetic. Convolutions, ReLU, softmax and
dense layers are what each runtime and accelerator has in INT8.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.host.models.blocks import KERAS_BATCH_NORM, conv, kernel_initializer, scaled

READINGS = 64
"""How many readings an output chooses among."""
REACH = 1.05
"""The readings are from -REACH to REACH, a little beyond targets of -1 to 1."""

_FINAL_SIDE = 8
_STEM_FILTERS, _FILTERS, _MAX_FILTERS = 32, 64, 96
_FEATURES, _COMBINED = 256, 128
_CHOICE = "choice"
"""The layer of the softmax."""


def build(
    input_shape: tuple[int, int, int], classes: int, *, initializer: str, width: float
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out."""
    import keras

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
    for number in range(2):
        x = layers.Dense(
            scaled(_COMBINED, width),
            activation="relu",
            kernel_initializer=started,
            name=f"combined{number}",
        )(x)
    x = layers.Dense(classes * READINGS, kernel_initializer=started, name="readings")(x)
    if classes > 1:  # a softmax of one row is what each accelerator has
        x = layers.Reshape((classes, READINGS), name="by_output")(x)
    x = layers.Softmax(name=_CHOICE)(x)
    x = layers.Flatten(name="pool")(x)
    outputs = layers.Dense(classes, kernel_initializer=_steps(classes), name="logits")(x)
    return keras.Model(inputs, outputs, name="spatial_cnn")


def chosen(model: Any) -> Any | None:
    """Return the tensor of the shares that a network gives to readings; None for other networks.

    Args:
        model: a Keras model, one of `build` or of others.

    Returns:
        (pictures, outputs * READINGS): output by output a softmax over
        `numpy.linspace(-REACH, REACH, READINGS)`.
    """
    names = {layer.name for layer in model.layers}
    return model.get_layer("pool").output if _CHOICE in names else None


def _steps(classes: int) -> Any:
    """Return weights by which each output is the mean of its readings."""
    import keras
    import numpy as np

    steps = np.linspace(-REACH, REACH, READINGS, dtype=np.float32)
    return keras.initializers.Constant(np.kron(np.eye(classes, dtype=np.float32), steps[:, None]))
