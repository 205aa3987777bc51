"""Which channels depend on each other, which stay, and what the arithmetic costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.pruning.graph import ChannelGraph, channel_graph
from edgeinfer.device.core.errors import ConversionError

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
layers = keras.layers


def _graph(body: Callable[[Any], Any], *, side: int = 6, channels: int = 4) -> ChannelGraph:
    """Return the graph of a first convolution, a body and a dense head."""
    image = keras.Input((side, side, channels))
    x = body(layers.Conv2D(8, 3, padding="same", name="first")(image))
    head = layers.Dense(2, name="logits")(layers.Flatten()(x))
    return channel_graph(keras.Model(image, head))


def _groups(graph: ChannelGraph) -> dict[tuple[str, ...], int]:
    return {group.layers: len(group.cells) for group in graph.groups}


def test_added_layers_are_one_group_and_the_answers_stay() -> None:
    graph = _graph(lambda x: x + layers.Conv2D(8, 1, name="second")(x))
    assert _groups(graph) == {("first", "second"): 8}
    assert graph.groups[0].name == "first"
    assert graph.unknown == ()


def test_concatenated_layers_are_separate_groups() -> None:
    graph = _graph(lambda x: layers.Concatenate()([x, layers.Conv2D(6, 1, name="second")(x)]))
    assert _groups(graph) == {("first",): 8, ("second",): 6}


def test_a_depthwise_convolution_goes_with_what_it_reads() -> None:
    graph = _graph(lambda x: layers.DepthwiseConv2D(3, depth_multiplier=3, name="depth")(x))
    assert _groups(graph) == {("first", "depth"): 8}


def test_the_gate_of_squeeze_and_excitation_goes_with_its_channels() -> None:
    def gated(x: Any) -> Any:
        s = layers.Reshape((1, 1, -1))(layers.GlobalAveragePooling2D()(x))
        s = layers.Dense(3, activation="relu", name="squeeze")(s)
        return layers.Multiply()([x, layers.Dense(8, activation="sigmoid", name="gate")(s)])

    assert _groups(_graph(gated)) == {("first", "gate"): 8, ("squeeze",): 3}


@pytest.mark.parametrize(
    "body",
    [
        lambda x: layers.Conv2D(8, 3, groups=2)(x),
        lambda x: layers.PReLU()(x),
        lambda x: layers.LayerNormalization()(x),
        lambda x: layers.Softmax()(x),
        lambda x: layers.Activation("softmax")(x),
        lambda x: layers.Permute((3, 1, 2))(x),
        lambda x: layers.Reshape((3, 3, 32))(x),
        lambda x: layers.Concatenate(axis=1)([x, x]),
        lambda x: keras.ops.mean(x, axis=-1, keepdims=True),
        lambda x: x * np.arange(8, dtype=np.float32),
        lambda x: x[..., :4],
        lambda x: layers.BatchNormalization(axis=1)(x),
        lambda x: layers.GlobalAveragePooling2D(data_format="channels_first")(x),
    ],
)
def test_layers_before_an_unknown_layer_stay(body: Callable[[Any], Any]) -> None:
    graph = _graph(body)
    assert graph.groups == ()
    assert len(graph.unknown) == 1


@pytest.mark.parametrize("activation", ["softmax", "log_softmax", "own", "layer"])
def test_channels_that_an_activation_compares_stay(activation: str) -> None:
    def own(x: Any) -> Any:
        return x / keras.ops.sum(x, axis=-1, keepdims=True)

    given = {"own": own, "layer": layers.PReLU()}.get(activation, activation)
    graph = _graph(lambda x: layers.Dense(6, activation=given, name="shares")(x))
    assert _groups(graph) == {("first",): 8}


def test_a_users_own_activation_layer_is_not_trusted() -> None:
    graph = _graph(
        lambda x: layers.Activation(lambda y: y - keras.ops.mean(y, axis=-1)[..., None])(x)
    )
    assert graph.groups == ()


def test_a_users_own_class_under_a_name_of_keras_is_not_trusted() -> None:
    own = type("ReLU", (layers.Layer,), {"call": lambda self, x: keras.ops.flip(x, axis=-1)})
    assert _graph(lambda x: own()(x)).groups == ()


def test_channels_first_stay() -> None:
    image = keras.Input((3, 6, 6))
    # (Only the shapes are computed: no kernel of this machine runs channels first.)
    x = layers.Conv2D(8, 3, data_format="channels_first")(image)
    x = layers.GlobalAveragePooling2D(data_format="channels_first")(layers.ReLU()(x))
    x = layers.Dense(6, name="hidden")(x)
    graph = channel_graph(keras.Model(image, layers.Dense(2)(x)))
    assert _groups(graph) == {("hidden",): 6}


def test_a_layer_that_is_called_twice_stays() -> None:
    shared = layers.Conv2D(8, 1, name="shared")
    graph = _graph(lambda x: layers.Conv2D(4, 1, name="last")(shared(shared(x))))
    assert _groups(graph) == {("last",): 4}
    assert graph.unknown == ("shared",)


def test_no_group_has_a_cell_that_reaches_an_output() -> None:
    image = keras.Input((6, 6, 3))
    a = layers.Conv2D(4, 3, name="a")(image)
    b = layers.Conv2D(6, 3, name="b")(image)
    both = layers.Concatenate()([a, b])
    c = layers.Conv2D(10, 3, name="c")(image)
    model = keras.Model(image, [layers.Dense(2)(layers.Flatten()(both + c)), a])
    # Of c only what is added to b can go.
    assert _groups(channel_graph(model)) == {("b", "c"): 6}


def test_a_model_that_cannot_be_parsed_is_refused() -> None:
    own = type("Own", (keras.Model,), {"call": lambda self, x: x})
    with pytest.raises(ConversionError, match="not a functional or Sequential"):
        channel_graph(own(name="own"))
    image = keras.Input((6, 6, 3))
    with pytest.raises(ConversionError, match="several results"):
        channel_graph(keras.Model(image, keras.ops.split(image, 3, axis=-1)[0]))
    sequence = keras.Input((6, 3))
    with pytest.raises(ConversionError, match="recurrent"):
        channel_graph(keras.Model(sequence, layers.LSTM(4)(sequence)))
