"""The few building blocks that all architectures share.

Convolutions have no bias and are followed by batch normalization, which the converter folds into
them; activations are ReLU or ReLU6, which fuse. Every model ends in the layers `pool` (features,
one vector per image) and `logits`, so that transfer learning finds them by name.
"""

from __future__ import annotations

from typing import Any, Literal

BatchNorm = dict[str, float]

KERAS_BATCH_NORM: BatchNorm = {"momentum": 0.9, "epsilon": 1e-3}
"""A momentum of 0.9 converges within the few thousand steps of a small data set."""


def kernel_initializer(name: str) -> str:
    """Return Keras's name of an initializer: He et al. 2015, else Glorot and Bengio 2010."""
    return "he_normal" if name == "he" else "glorot_uniform"


def conv(
    x: Any,
    filters: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    activation: Literal["relu", "relu6"] | None = "relu6",
    initializer: str = "glorot",
    name: str,
    batch_norm: BatchNorm = KERAS_BATCH_NORM,
) -> Any:
    """Convolve, normalize and activate: (N, H, W, C) to (N, H / stride, W / stride, filters)."""
    import keras

    x = keras.layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=kernel_initializer(initializer),
        name=f"{name}_conv",
    )(x)
    return _finish(x, activation, name, batch_norm)


def depthwise(
    x: Any,
    *,
    kernel: int = 3,
    stride: int = 1,
    initializer: str = "glorot",
    name: str,
    batch_norm: BatchNorm = KERAS_BATCH_NORM,
) -> Any:
    """Convolve each channel separately, normalize and apply ReLU6."""
    import keras

    x = keras.layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=kernel_initializer(initializer),
        name=f"{name}_conv",
    )(x)
    return _finish(x, "relu6", name, batch_norm)


def inverted_residual(
    x: Any,
    filters: int,
    *,
    kernel: int,
    stride: int,
    expand: int,
    initializer: str = "glorot",
    name: str,
    batch_norm: BatchNorm = KERAS_BATCH_NORM,
) -> Any:
    """Expand, convolve depthwise, project; add the input where the shapes agree.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks".
    """
    import keras

    shared: dict[str, Any] = {"initializer": initializer, "batch_norm": batch_norm}
    channels = x.shape[-1]
    y = x
    if expand != 1:
        y = conv(y, channels * expand, kernel=1, name=f"{name}_expand", **shared)
    y = depthwise(y, kernel=kernel, stride=stride, name=f"{name}_depthwise", **shared)
    y = conv(y, filters, kernel=1, activation=None, name=f"{name}_project", **shared)
    if stride == 1 and filters == channels:
        y = keras.layers.Add(name=f"{name}_add")([x, y])
    return y


def classifier(x: Any, classes: int, *, initializer: str = "glorot") -> Any:
    """Average over the picture and map to logits: (N, H, W, C) to (N, classes)."""
    import keras

    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.layers.Dense(
        classes, kernel_initializer=kernel_initializer(initializer), name="logits"
    )(x)


def scaled(channels: float, width: float, *, multiple: int = 8) -> int:
    """Scale a number of channels, rounded to a multiple but never down by more than a tenth.

    Source: the rule of the MobileNet reference models.
    """
    wanted = channels * width
    rounded = max(multiple, int(wanted + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * wanted else rounded


def _finish(x: Any, activation: str | None, name: str, batch_norm: BatchNorm) -> Any:
    import keras

    x = keras.layers.BatchNormalization(name=f"{name}_bn", **batch_norm)(x)
    if activation is None:
        return x
    ceiling = 6.0 if activation == "relu6" else None
    return keras.layers.ReLU(max_value=ceiling, name=f"{name}_{activation}")(x)
