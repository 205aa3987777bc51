"""Where a network can be cut in two: places where all data passes through one tensor."""

from __future__ import annotations

from typing import Any

import numpy as np


def cut_points(model: Any) -> list[Any]:
    """Return the layers of a functional model after which it can be cut, from input to output.

    A cut is where no connection skips over it: in a residual network after the additions, not
    inside a block. The input and the layers from `pool` on are left out.
    """
    layers = [layer for layer in model.layers if layer.name not in ("pool", "logits")]
    position = {layer.name: index for index, layer in enumerate(model.layers)}
    # The last layer that each layer's output reaches.
    reach = dict.fromkeys(position, 0)
    for layer in model.layers:
        for parent in _parents(layer):
            # A layer may also be called outside this model.
            reach[parent] = max(reach.get(parent, 0), position[layer.name])
    points, furthest = [], 0
    for index, layer in enumerate(model.layers):
        if index and furthest <= index and layer in layers:
            points.append(layer)
        furthest = max(furthest, reach[layer.name])
    return points


def choose_cut(model: Any, *, upper_share: float) -> Any:
    """Return the cut that leaves about `upper_share` of the parameters above it.

    It is the last cut with at least that share above it. Among equal shares, the one with the
    smallest activations is cheapest to cache; in every network here that is the last one.
    """
    total = sum(_size(layer) for layer in model.layers)
    best = None
    below = 0
    points = {layer.name for layer in cut_points(model)}
    for layer in model.layers:
        below += _size(layer)
        if layer.name in points and total - below >= upper_share * total:
            best = layer
    return best


def _parents(layer: Any) -> list[str]:
    """Return the names of the layers whose outputs a layer takes."""
    return [
        tensor._keras_history.operation.name
        for node in layer._inbound_nodes
        for tensor in node.input_tensors
    ]


def _size(layer: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in layer.weights)
