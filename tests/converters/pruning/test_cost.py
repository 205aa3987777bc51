"""Multiplications against counts by hand, and against its authors' count of a known network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgeinfer.converters.pruning.cost import CostModel, multiplications
from edgeinfer.converters.pruning.graph import channel_graph

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
layers = keras.layers


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda x: layers.Conv2D(5, 3)(x), 4 * 6 * 9 * 3 * 5),
        (lambda x: layers.Conv2D(5, 3, strides=2, padding="same")(x), 3 * 4 * 9 * 3 * 5),
        (lambda x: layers.Conv2D(6, 3, groups=3)(x), 4 * 6 * 9 * 1 * 6),
        (lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2)(x), 4 * 6 * 9 * 6),
        (lambda x: layers.SeparableConv2D(5, 3, depth_multiplier=2)(x), 4 * 6 * 6 * 5),
        (lambda x: layers.Conv2DTranspose(5, 2, strides=2)(x), 6 * 8 * 4 * 3 * 5),
        (lambda x: layers.Dense(5)(x), 6 * 8 * 3 * 5),
        (lambda x: layers.Dense(5)(layers.Flatten()(x)), 6 * 8 * 3 * 5),
        (lambda x: layers.Dense(5)(layers.GlobalMaxPooling2D()(x)), 3 * 5),
        (lambda x: layers.BatchNormalization()(layers.ReLU()(x + x)), 0),
        (lambda x: layers.Conv2D(3, 1, name="twice")(x), 6 * 8 * 9),
    ],
)
def test_multiplications_are_those_counted_by_hand(
    body: Callable[[Any], Any], expected: int
) -> None:
    image = keras.Input((6, 8, 3))
    assert multiplications(channel_graph(keras.Model(image, body(image)))) == expected


@pytest.mark.parametrize("layer", [lambda: layers.Conv2D(3, 1), lambda: layers.Dense(3)])
def test_a_shared_layer_counts_for_each_call(layer: Callable[[], Any]) -> None:
    image = keras.Input((6, 8, 3))
    shared = layer()
    model = keras.Model(image, shared(shared(image)))
    assert multiplications(channel_graph(model)) == 2 * 6 * 8 * 9


def test_channels_first_and_transposed_layers_that_stay_whole_count() -> None:
    image = keras.Input((3, 6, 8))
    model = keras.Model(image, layers.Conv2D(5, 3, data_format="channels_first")(image))
    assert multiplications(channel_graph(model)) == 4 * 6 * 9 * 3 * 5
    image = keras.Input((6, 8, 3))
    shared = layers.Conv2DTranspose(3, 2, strides=2)
    model = keras.Model(image, shared(shared(image)))
    assert multiplications(channel_graph(model)) == 6 * 8 * 36 + 12 * 16 * 36


def test_a_depthwise_multiplication_weighs_more() -> None:
    image = keras.Input((6, 6, 4))
    model = keras.Model(image, layers.DepthwiseConv2D(3)(image))
    weighed = CostModel(channel_graph(model), depthwise_weight=8.0)
    assert weighed.total(weighed.full) == 8 * multiplications(channel_graph(model))


def test_the_saving_is_the_difference_of_totals() -> None:
    image = keras.Input((6, 6, 4))
    x = layers.Conv2D(8, 3, padding="same")(image)
    x = layers.Concatenate()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
    x = layers.Conv2D(6, 1)(x)
    cost = CostModel(channel_graph(keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))))
    for group, full in cost.full.items():
        less = {**cost.full, group: full - 2}
        saved = cost.total(cost.full) - cost.total(less)
        assert cost.saved(cost.full, group, full - 2) == pytest.approx(saved)
        assert saved > 0


def test_efficientnet_lite0_takes_as_many_as_its_authors_say() -> None:
    """Their repository says 407 million, 1,280 x 998 of which are for classes not here."""
    from edgeinfer.host.models.efficientnet_lite import build

    model = build((224, 224, 3), 2, initializer="he")
    assert multiplications(channel_graph(model)) + 1280 * 998 == pytest.approx(407e6, rel=0.06)
