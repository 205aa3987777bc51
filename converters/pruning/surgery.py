"""A smaller dense Keras model made from a larger one: fewer channels, or a smaller input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.pruning.graph import ChannelGraph, LayerUse
from edgeinfer.converters.pruning.operators import Kind
from edgeinfer.converters.tensorflow.trace import functional
from edgeinfer.device.core.errors import ConversionError

Keep = NDArray[np.bool_]
"""(cells,) which cells of a ChannelGraph stay."""

Weights = list[NDArray[np.float32]]


def keep_channels(graph: ChannelGraph, keep: Keep) -> Any:
    """Build the model with only the channels that stay.

    Args:
        graph: of the model; it stays as it is.
        keep: which cells stay.

    Returns:
        A Keras model of new layers with the same names and the weights that stay. Dropout and
        other layers that do nothing in inference are left out.

    Raises:
        ConversionError: a layer would lose all its channels.
    """
    weights: dict[int, Weights] = {}

    def sized(use: LayerUse) -> dict[str, Any]:
        inputs = [keep[graph.cell[numbers]] for numbers in use.inputs]
        output = keep[graph.cell[use.output]]
        if not output.any():
            raise ConversionError(
                use.call.layer.name, got="would lose all its channels", expected="at least one left"
            )
        weights[id(use.call.layer)] = _weights(use, inputs[0] if inputs else output, output)
        return _config(use, output)

    shapes = [tuple(tensor.shape) for tensor in graph.model.inputs]
    model, layers = _rebuild(graph, sized, shapes)
    for number, layer in layers.items():
        layer.set_weights(weights[number])
    return model


def with_input_size(graph: ChannelGraph, size: tuple[int, int]) -> Any:
    """Return the same network with its weights, for pictures of another size.

    Args:
        graph: of the model.
        size: (width, height) in pixels.

    Raises:
        ConversionError: its weights depend on the size, as those of a dense layer after Flatten, or
            a layer enlarges to a size that does not follow it.
    """
    shapes = [tuple(tensor.shape) for tensor in graph.model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise ConversionError(
            graph.model.name,
            got=f"takes {len(shapes)} inputs of {len(shapes[0])} axes",
            expected="one batch of pictures (N, H, W, C)",
        )
    batch, height, width, channels = shapes[0]
    try:
        model, layers = _rebuild(
            graph,
            lambda use: _resized(use, (height, width), (size[1], size[0])),
            [(batch, size[1], size[0], channels)],
        )
        for use in graph.uses:
            if id(use.call.layer) in layers:
                layers[id(use.call.layer)].set_weights(use.call.layer.get_weights())
    # Keras has no special error for shapes that do not fit.
    except ValueError as error:
        raise ConversionError(
            graph.model.name,
            got=f"its layers depend on the picture's size of {width}x{height}",
            expected="a network that ends in global pooling",
        ) from error
    return model


def _rebuild(
    graph: ChannelGraph,
    config: Callable[[LayerUse], dict[str, Any]],
    shapes: list[tuple[int | None, ...]],
) -> tuple[Any, dict[int, Any]]:
    """Call new layers as the old ones were called.

    Returns:
        The model, and its layers by the ids of the old ones.
    """
    import keras

    inputs = [
        keras.Input(batch_shape=shape, dtype=tensor.dtype, name=tensor.name)
        for shape, tensor in zip(shapes, graph.model.inputs, strict=True)
    ]
    values = dict(zip(graph.inputs, inputs, strict=True))
    whole = functional(graph.model)
    name = _Names(whole)
    layers: dict[int, Any] = {}
    operations: dict[int, Any] = {}
    for use in graph.uses:
        old = use.call.layer
        if isinstance(old, keras.Layer):
            if id(old) not in layers:
                layers[id(old)] = type(old).from_config({**config(use), "name": name(old)})
            new = layers[id(old)]
        else:
            if id(old) not in operations:
                operations[id(old)] = _operation(old, name(old))
            new = operations[id(old)]
        args, kwargs = use.call.fill([values[number] for number in use.call.inputs])
        values[use.call.output] = new(*args, **kwargs)
    outputs = [values[number] for number in graph.outputs]
    model = keras.Model(
        _structured(inputs, whole.input),
        _structured(outputs, whole.output),
        name=graph.model.name,
    )
    return model, layers


def _resized(use: LayerUse, old: tuple[int | None, ...], new: tuple[int, int]) -> dict[str, Any]:
    """Return a layer's settings for an input of another (height, width).

    A layer that enlarges to a number of pixels enlarges to as large a share of the input.

    Raises:
        ConversionError: that number of pixels would not be whole.
    """
    import keras

    config: dict[str, Any] = dict(use.call.layer.get_config())
    if isinstance(use.call.layer, keras.layers.Resizing):
        for name, before, after in zip(("height", "width"), old, new, strict=True):
            side = config[name] * after
            if not before or side % before:
                raise ConversionError(
                    use.call.layer.name,
                    got=f"enlarges to {config[name]} pixels of {before}",
                    expected=f"a whole number of pixels for an input of {after}, too",
                    next_step="take another size",
                )
            config[name] = side // before
    return config


class _Names:
    """Names for new layers: the old ones, unless a nested model's layer has the same name."""

    def __init__(self, model: Any) -> None:
        self._outer = {id(layer) for layer in model.operations}
        self._taken = {layer.name for layer in model.operations}

    def __call__(self, layer: Any) -> str:
        """Return the name of the layer that replaces a layer."""
        name: str = layer.name
        if id(layer) in self._outer:
            return name
        count = 0
        while name in self._taken:
            count += 1
            name = f"{layer.name}_{count}"
        self._taken.add(name)
        return name


def _operation(old: Any, name: str) -> Any:
    """Return an operation of keras.ops, which has no channels and no weights, under a name."""
    if name == old.name:
        return old
    new = type(old).from_config(old.get_config())
    new.name = name
    return new


def _structured(tensors: list[Any], structure: Any) -> Any:
    """Put tensors into the structure of a model's inputs or outputs, such as a dictionary."""
    import keras

    return tensors[0] if len(tensors) == 1 else keras.tree.pack_sequence_as(structure, tensors)


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
    """Return the part of one weight that stays."""
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
