"""Pretrained networks expect RGB; here they take other channels and give the same answers.

- BGR: the input channels of the first convolution's kernels are reversed.
- Grey: a grey picture stands for three equal channels. If all channels have the same
  normalization, the sum of a kernel over its input channels does that. Else a 1x1 convolution first
  makes three normalized channels from the one, before any padding, so that zeros mean what the
  weights expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from edgeinfer.device.preprocess.spec import Channels

Normalization = tuple[tuple[float, ...], tuple[float, ...]]
"""(mean, std) per channel, in pixel units."""

THREE_OF_ONE = "grey_to_rgb"
"""The layer that makes three channels from one."""


def normalization_for(rgb: Normalization, channels: Channels) -> Normalization:
    """Return the normalization of RGB for a tensor with other channels."""
    mean, std = rgb
    if channels == "grey":
        return (fmean(mean),), (fmean(std),)
    turn = -1 if channels == "bgr" else 1
    return mean[::turn], std[::turn]


def same_normalization(rgb: Normalization) -> bool:
    """Return whether a grey value becomes the same number in every channel."""
    return all(len(set(values)) == 1 for values in rgb)


def three_of_one(grey: Any, rgb: Normalization) -> Any:
    """Return the (N, H, W, 3) tensor of RGB for a normalized grey one, (N, H, W, 1)."""
    import keras
    import numpy as np

    (mean,), (std,) = normalization_for(rgb, "grey")
    layer = keras.layers.Conv2D(3, 1, name=THREE_OF_ONE)
    three = layer(grey)
    means, stds = (np.array(values, np.float64) for values in rgb)
    layer.set_weights([(std / stds).reshape(1, 1, 1, 3), (mean - means) / stds])
    return three


def turn_round(model: Any) -> None:
    """Turn a network for RGB into one for BGR."""
    first = _with_weights(model)[0]
    kernel, *others = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *others])


def take_weights(grey: Any, rgb: Any) -> None:
    """Give a network for grey pictures the weights of the same network for RGB.

    Args:
        grey: built from the same layers for one channel, perhaps after `three_of_one`.
        rgb: pretrained.
    """
    takers = [layer for layer in _with_weights(grey) if layer.name != THREE_OF_ONE]
    for taker, giver in zip(takers, _with_weights(rgb), strict=True):
        weights = giver.get_weights()
        if tuple(taker.weights[0].shape) != weights[0].shape:  # the first convolution's kernel
            weights[0] = weights[0].sum(axis=2, keepdims=True)
        taker.set_weights(weights)


def _with_weights(model: Any) -> Sequence[Any]:
    return [layer for layer in model.layers if layer.weights]
