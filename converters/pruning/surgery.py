"""A smaller dense Keras model out of a larger one: channels taken out, or fewer pixels taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.pruning.graph import ChannelGraph, LayerUse
from edgeinfer.converters.pruning.operators import Kind
from edgeinfer.device.errors import ConversionError

Keep = NDArray[np.bool_]
"""(cells,) which cells of a ChannelGraph stay."""

Weights = list[NDArray[np.float32]]


def keep_channels(graph: ChannelGraph, keep: Keep) -> Any:
    """Build the model that is left when only some channels stay.

    Args:
        graph: of the model; it stays as it is.
        keep: which cells stay.

    Returns:
        A Keras model of new layers with the same names and the weights of what stayed. Dropout and
        other layers that do nothing in inference are left out.

    Raises:
        ConversionError: a layer would lose all its channels.
    """
    new: dict[int, tuple[Any, Weights]] = {}

    def remake(use: LayerUse) -> Any:
        layer = use.call.layer
        if not hasattr(layer, "get_config"):
            return layer  # an operation of keras.ops, which has neither channels nor weights
        if id(layer) not in new:
            inputs = [keep[graph.cell[numbers]] for numbers in use.inputs]
            output = keep[graph.cell[use.output]]
            if not output.any():
                raise ConversionError(
                    layer.name, got="would lose all its channels", expected="at least one left"
                )
            sized = type(layer).from_config(_config(use, output))
            new[id(layer)] = sized, _weights(use, inputs[0] if inputs else output, output)
        return new[id(layer)][0]

    model = _rebuild(graph, remake, [tuple(tensor.shape) for tensor in graph.model.inputs])
    for layer, weights in new.values():
        layer.set_weights(weights)
    return model


def with_input_size(graph: ChannelGraph, size: tuple[int, int]) -> Any:
    """Return the same network, weights and all, for pictures of another size.

    Args:
        graph: of the model.
        size: (width, height) in pixels.

    Raises:
        ConversionError: its weights depend on the size, as those of a dense layer after Flatten.
    """
    layers: dict[int, Any] = {}

    def remake(use: LayerUse) -> Any:
        layer = use.call.layer
        if not hasattr(layer, "get_config"):
            return layer
        return layers.setdefault(id(layer), type(layer).from_config(layer.get_config()))

    (shape,) = [tuple(tensor.shape) for tensor in graph.model.inputs]
    model = _rebuild(graph, remake, [(shape[0], size[1], size[0], *shape[3:])])
    for use in graph.uses:
        layer = use.call.layer
        try:
            if id(layer) in layers:
                layers[id(layer)].set_weights(layer.get_weights())
        except ValueError as error:
            raise ConversionError(
                layer.name,
                got=f"its weights depend on the picture's size of {shape[2]}x{shape[1]}",
                expected="a network that ends in global pooling",
            ) from error
    return model


def _rebuild(
    graph: ChannelGraph, remake: Callable[[LayerUse], Any], shapes: list[tuple[int | None, ...]]
) -> Any:
    """Call the new layers as the old ones were called."""
    import keras

    inputs = [
        keras.Input(batch_shape=shape, dtype=tensor.dtype, name=tensor.name)
        for shape, tensor in zip(shapes, graph.model.inputs, strict=True)
    ]
    values = dict(zip(graph.inputs, inputs, strict=True))
    for use in graph.uses:
        args, kwargs = use.call.fill([values[number] for number in use.call.inputs])
        values[use.call.output] = remake(use)(*args, **kwargs)
    outputs = [values[number] for number in graph.outputs]
    single = len(inputs) == len(outputs) == 1
    return keras.Model(
        inputs[0] if single else inputs, outputs[0] if single else outputs, name=graph.model.name
    )


def _config(use: LayerUse, output: Keep) -> dict[str, Any]:
    """Return a layer's settings, with as many channels as stay."""
    config: dict[str, Any] = dict(use.call.layer.get_config())
    count = int(output.sum())
    if use.kind in (Kind.CONV, Kind.TRANSPOSED, Kind.SEPARABLE):
        config["filters"] = count
    elif use.kind is Kind.DENSE:
        config["units"] = count
    elif use.kind is Kind.RESHAPE:
        config["target_shape"] = (*config["target_shape"][:-1], count)
    return config


def _weights(use: LayerUse, inputs: Keep, output: Keep) -> Weights:
    """Return the weights of what stays, in the order of `get_weights`."""
    layer = use.call.layer
    named = [
        (variable.name, np.asarray(value))
        for variable, value in zip(layer.weights, layer.get_weights(), strict=True)
    ]
    return [_sliced(use.kind, name, value, inputs, output) for name, value in named]


def _sliced(
    kind: Kind, name: str, value: NDArray[np.float32], inputs: Keep, output: Keep
) -> NDArray[np.float32]:
    """Return what stays of one weight."""
    if not kind.makes_channels and kind is not Kind.NORMALIZE:
        return value
    if value.ndim == 1:  # a bias, or a normalization's scale, shift, mean or variance
        return value[output]
    if kind is Kind.TRANSPOSED:  # (h, w, out, in)
        return value[..., output, :][..., inputs]
    if kind is Kind.DEPTHWISE or (kind is Kind.SEPARABLE and name == "depthwise_kernel"):
        return value[..., inputs, :]  # (h, w, in, multiplier)
    if kind is Kind.SEPARABLE:  # (1, 1, in * multiplier, out)
        inputs = np.repeat(inputs, value.shape[-2] // len(inputs))
    return value[..., inputs, :][..., output]
