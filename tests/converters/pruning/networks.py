"""Keras networks to prune: drawn at random, and a reference for what is left of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.converters.pruning.graph import ChannelGraph

Floats = NDArray[np.float32]
SIDE = 5
FILTERS = (2, 3, 4, 6)
layers = keras.layers


def randomize(model: Any, seed: int = 0) -> Any:
    """Give a model weights under which every one of them matters, and none overflows."""
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        fan_in = max(1, int(np.prod(variable.shape[:-1])))
        values = generator.normal(0, 1 / np.sqrt(fan_in), variable.shape)
        if "variance" in variable.name:
            values = generator.uniform(0.5, 2, variable.shape)
        elif variable.name in ("gamma", "beta", "bias", "moving_mean", "alpha"):
            values = generator.uniform(0.3, 1.2, variable.shape)
        variable.assign(values.astype(np.float32))
    return model


def noise(graph: ChannelGraph, seed: int = 1, count: int = 3) -> list[Floats]:
    """Return inputs for a model."""
    generator = np.random.default_rng(seed)
    shapes = [tensor.shape[1:] for tensor in graph.model.inputs]
    return [generator.normal(size=(count, *shape)).astype(np.float32) for shape in shapes]


def answers(model: Any, inputs: list[Floats]) -> list[Floats]:
    """Return a model's outputs."""
    given = inputs[0] if len(inputs) == 1 else keras.tree.pack_sequence_as(model.input, inputs)
    return [np.asarray(output) for output in keras.tree.flatten(model(given, training=False))]


def cut_answers(graph: ChannelGraph, keep: NDArray[np.bool_], inputs: list[Floats]) -> list[Floats]:
    """Return the outputs of the whole model with every value of a channel that goes set to 0.

    It is set again after each call, so that no bias, shift or activation brings a channel back.
    """
    values = dict(zip(graph.inputs, map(keras.ops.convert_to_tensor, inputs), strict=True))
    for use in graph.uses:
        result = use.call.run(*(values[number] for number in use.call.inputs))
        mask = keep[graph.cell[use.output]].astype(np.float32)
        assert mask.all() or result.shape[-1] == len(mask)
        values[use.call.output] = result if mask.all() else result * mask
    return [np.asarray(values[number]) for number in graph.outputs]


def assert_same(got: list[Floats], expected: list[Floats]) -> None:
    """Compare outputs to 1e-5 of their size."""
    assert len(got) == len(expected)
    for left, right in zip(got, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5 * float(np.abs(right).max()))


def random_keep(graph: ChannelGraph, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Remove any cells of each group except for one."""
    keep = np.ones(graph.cells, bool)
    for group in graph.groups:
        goes = generator.random(len(group.cells)) < generator.random()
        goes[generator.integers(len(goes))] = False
        keep[group.cells[goes]] = False
    return keep


def network(draw: Callable[..., Any]) -> Any:
    """Draw a network: blocks of all kinds on feature maps of one size, then a head."""
    image = keras.Input((SIDE, SIDE, draw(st.sampled_from((1, 3)))))
    maps = [image, layers.Conv2D(draw(st.sampled_from(FILTERS)), 3, padding="same")(image)]
    for _ in range(draw(st.integers(2, 7))):
        block = draw(st.sampled_from(_BLOCKS))
        maps.append(block(draw, maps))
        assert maps[-1].shape[1:3] == (SIDE, SIDE)
    vectors = [_vector(draw, maps[-1])]
    if draw(st.booleans()):
        vectors.append(_vector(draw, draw(st.sampled_from(maps[1:]))))
    features = vectors[0] if len(vectors) == 1 else layers.Concatenate()(vectors)
    if draw(st.booleans()):
        features = layers.Dense(5, activation="relu")(features)
    outputs = [layers.Dense(2, activation=draw(st.sampled_from(("linear", "softmax"))))(features)]
    if draw(st.integers(0, 3)) == 0:
        outputs.append(draw(st.sampled_from(maps[1:])))
    return randomize(keras.Model(image, outputs if len(outputs) > 1 else outputs[0]))


def _any(draw: Any, maps: list[Any]) -> Any:
    """Prefer what came last, so that networks get deep."""
    return maps[-1] if draw(st.booleans()) else draw(st.sampled_from(maps))


def _same_channels(draw: Any, maps: list[Any]) -> tuple[Any, Any]:
    """Return two maps with as many channels."""
    x = _any(draw, maps)
    return x, draw(st.sampled_from([y for y in maps if y.shape == x.shape]))


def _conv(draw: Any, maps: list[Any]) -> Any:
    return layers.Conv2D(
        draw(st.sampled_from(FILTERS)),
        draw(st.sampled_from((1, 3))),
        padding="same",
        use_bias=draw(st.booleans()),
        activation=draw(st.sampled_from((None, "relu", "sigmoid", "softmax"))),
    )(_any(draw, maps))


def _transposed(draw: Any, maps: list[Any]) -> Any:
    x = layers.MaxPooling2D(SIDE)(_any(draw, maps))
    return layers.Conv2DTranspose(draw(st.sampled_from(FILTERS)), SIDE, strides=SIDE)(x)


def _separable(draw: Any, maps: list[Any]) -> Any:
    return layers.SeparableConv2D(
        draw(st.sampled_from(FILTERS)), 3, padding="same", depth_multiplier=draw(st.integers(1, 2))
    )(_any(draw, maps))


def _depthwise(draw: Any, maps: list[Any]) -> Any:
    multiplier = draw(st.integers(1, 2))
    return layers.DepthwiseConv2D(
        3, padding="same", depth_multiplier=multiplier, use_bias=draw(st.booleans())
    )(_any(draw, maps))


def weightless(draw: Any, maps: list[Any]) -> Any:
    """Draw an operation without weights, and what it is applied to."""
    x = _any(draw, maps)
    # Keras warns of a softmax over one channel, and warnings are errors.
    more = (layers.Activation("softmax"),) if x.shape[-1] > 1 else ()
    return draw(
        st.sampled_from(
            (
                *more,
                lambda x: layers.ReLU(6.0)(x),
                lambda x: layers.Activation("swish")(x),
                lambda x: layers.Dropout(0.5)(x),
                lambda x: layers.MaxPooling2D(3, strides=1, padding="same")(x),
                lambda x: layers.ZeroPadding2D(1)(layers.Cropping2D(1)(x)),
                lambda x: keras.ops.relu6(x),
                lambda x: x * 2,
                lambda x: 1 - x,
                lambda x: keras.ops.add(x, 0.5),
                lambda x: keras.ops.cumsum(x, axis=-1),
                lambda x: keras.ops.flip(x, axis=-1),
            )
        )
    )(x)


def _normalization(draw: Any, maps: list[Any]) -> Any:
    layer = draw(
        st.sampled_from(
            (
                layers.BatchNormalization,
                lambda: layers.BatchNormalization(scale=False),
                layers.LayerNormalization,
                lambda: layers.PReLU(shared_axes=[1, 2]),
            )
        )
    )()
    return layer(_any(draw, maps))


def _merged(draw: Any, maps: list[Any]) -> Any:
    x, y = _same_channels(draw, maps)
    return draw(
        st.sampled_from(
            (
                lambda x, y: layers.Add()([x, y]),
                lambda x, y: x + y,
                lambda x, y: x - y,
                lambda x, y: layers.Multiply()([x, y]),
                lambda x, y: layers.Maximum()([x, y]),
                lambda x, y: layers.Average()([x, y, x]),
            )
        )
    )(x, y)


def _concatenated(draw: Any, maps: list[Any]) -> Any:
    x, y = _any(draw, maps), _any(draw, maps)
    return layers.Concatenate()([x, y]) if draw(st.booleans()) else keras.ops.concatenate([x, y], 3)


def _squeeze_excite(draw: Any, maps: list[Any]) -> Any:
    x = _any(draw, maps)
    width = x.shape[-1]
    if draw(st.booleans()):
        s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    else:
        shape = (1, 1, draw(st.sampled_from((width, -1))))
        s = layers.Reshape(shape)(layers.GlobalAveragePooling2D()(x))
    s = layers.Dense(2, activation="relu")(s)
    return layers.Multiply()([x, layers.Dense(width, activation="sigmoid")(s)])


def _spatial_attention(draw: Any, maps: list[Any]) -> Any:
    x = _any(draw, maps)
    return x * layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)


def _grouped(draw: Any, maps: list[Any]) -> Any:
    x = layers.Conv2D(4, 1)(_any(draw, maps))
    return layers.Conv2D(4, 3, padding="same", groups=2)(x)


def _shared(draw: Any, maps: list[Any]) -> Any:
    x, y = _same_channels(draw, maps)
    conv = layers.Conv2D(3, 1)
    return layers.Concatenate()([conv(x), conv(y)])


def _nested(draw: Any, maps: list[Any]) -> Any:
    x = _any(draw, maps)
    convs = [
        layers.Conv2D(x.shape[-1], 3, padding="same", name="inner"),
        layers.BatchNormalization(name="inner_norm"),
        layers.ReLU(name="inner_relu"),
    ]
    if draw(st.booleans()):
        return keras.Sequential(convs)(x)
    inside = keras.Input(x.shape[1:])
    y = inside
    for layer in convs:
        y = layer(y)
    return keras.Model(inside, y + inside)(x)


_BLOCKS = (
    *(_conv, _conv, _transposed, _separable, _depthwise, weightless, _normalization, _merged),
    *(_merged, _concatenated, _squeeze_excite, _spatial_attention, _grouped, _shared, _nested),
)


def _vector(draw: Any, x: Any) -> Any:
    return draw(
        st.sampled_from(
            (
                lambda x: layers.GlobalAveragePooling2D()(x),
                lambda x: layers.GlobalMaxPooling2D()(x),
                lambda x: layers.Flatten()(x),
                lambda x: keras.ops.mean(x, axis=(1, 2)),
            )
        )
    )(x)
