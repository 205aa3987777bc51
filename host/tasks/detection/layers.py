"""What the networks of things in pictures are made of: features of a backbone, and their heads."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.models.blocks import conv, depthwise
from edgeinfer.host.models.cut_points import cut_points

WIDTH = 64
"""Channels of the heads."""

INITIALIZER = "he"
FIRST_LOGIT = -4.6
"""Scores begin at 1 %, so that the many cells without a thing do not lead the first steps (Lin et
al. 2017, "Focal Loss for Dense Object Detection")."""

_KERNEL = 5
_WIDER = 3


def features_at(model: Any, strides: Collection[int], *, narrowest: bool = False) -> dict[int, Any]:
    """Return the last features of a network at each stride, of those that it has.

    Args:
        model: one of `edgeinfer.host.models`.
        strides: pixels from one place of the features to the next.
        narrowest: of a stride with several stages, take the one with the fewest channels, which
            is the first one and the cheapest.

    Raises:
        UsageError: the network has no features at the smallest stride.
    """
    height = model.input.shape[1]
    found: dict[int, Any] = {}
    for layer in cut_points(model):
        x = layer.output
        stride = height // x.shape[1] if len(x.shape) == 4 else 0
        if stride not in strides or (narrowest and _is_depthwise(layer)):
            continue
        # Inside a block features are several times as wide for a moment, which adds nothing.
        wider = 1 if narrowest else _WIDER
        if stride not in found or x.shape[-1] <= wider * found[stride].shape[-1]:
            found[stride] = x
    if min(strides) not in found:
        raise UsageError(
            f"architecture {model.name.replace('_', '-')}",
            got=f"has no features at a stride of {min(strides)} pixels",
            expected="a network for detection, such as efficientnet-lite0 or mobilenet",
        )
    return found


def _is_depthwise(layer: Any) -> bool:
    """Return whether features come from a depthwise convolution, which is half of a block."""
    import keras

    follows = (keras.layers.BatchNormalization, keras.layers.ReLU, keras.layers.Activation)
    while isinstance(layer, follows):
        layer = layer.input._keras_history.operation
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def separable(x: Any, name: str, *, stride: int = 1, width: int = WIDTH) -> Any:
    """Convolve each channel, then across channels to as many as `width`."""
    shared: dict[str, Any] = {"initializer": INITIALIZER}
    x = depthwise(x, kernel=_KERNEL, stride=stride, name=f"{name}_depthwise", **shared)
    return conv(x, width, kernel=1, name=f"{name}_pointwise", **shared)


def last(x: Any, filters: int, name: str, first: float) -> Any:
    """Return an output whose values begin near `first`."""
    import keras

    return keras.layers.Conv2D(
        filters,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(first),
        name=name,
    )(x)
