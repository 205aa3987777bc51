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


def features_at(model: Any, strides: Collection[int]) -> dict[int, Any]:
    """Return the last features of a network at each stride, of those that it has.

    Args:
        model: one of `edgeinfer.host.models`.
        strides: pixels from one place of the features to the next.

    Raises:
        UsageError: the network has no features at the smallest stride.
    """
    height = model.input.shape[1]
    found: dict[int, Any] = {}
    for layer in cut_points(model):
        x = layer.output
        stride = height // x.shape[1] if len(x.shape) == 4 else 0
        # Inside a block features are several times as wide for a moment, which adds nothing.
        wide = stride in found and x.shape[-1] > _WIDER * found[stride].shape[-1]
        if stride in strides and not wide:
            found[stride] = x
    if min(strides) not in found:
        raise UsageError(
            f"architecture {model.name.replace('_', '-')}",
            got=f"has no features at a stride of {min(strides)} pixels",
            expected="a network for detection, such as efficientnet-lite0 or mobilenet",
        )
    return found


def separable(x: Any, name: str, *, stride: int = 1) -> Any:
    """Convolve each channel, then across channels."""
    shared: dict[str, Any] = {"initializer": INITIALIZER}
    x = depthwise(x, kernel=_KERNEL, stride=stride, name=f"{name}_depthwise", **shared)
    return conv(x, WIDTH, kernel=1, name=f"{name}_pointwise", **shared)


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
