"""Equalization: the model stays the same, its channels become similar, and INT8 profits."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.quantize.all_tensors import WatchedModel
from edgeinfer.converters.quantize.calibration import activation_histograms, choose_ranges
from edgeinfer.converters.quantize.equalize import equalize, find_groups
from edgeinfer.converters.quantize.float_graph import RELU, RELU6, FloatGraph
from edgeinfer.converters.quantize.layer_errors import layer_errors
from edgeinfer.converters.quantize.litert import quantize_int8
from tests.converters.keras_models import (
    SHAPE,
    SPEC,
    float_model,
    outputs,
    pictures,
    uneven_float,
)

pytestmark = pytest.mark.slow


def int8_sqnr_db(content: bytes) -> float:
    """Of the output, with ranges from the same pictures."""
    ranges = choose_ranges(activation_histograms(content, SPEC, pictures), "min-max")
    small = quantize_int8(content, ranges, subject="uneven")
    return layer_errors(content, small, SPEC, pictures())[-1].sqnr_db


def channel_ranges(content: bytes) -> list[float]:
    """The ratio of the widest to the narrowest live channel in each tensor of a group."""
    watched = WatchedModel(content, SPEC)
    watched.run(pictures()[0])
    ratios = []
    for group in find_groups(FloatGraph(content)):
        for index in group.tensors:
            values = np.abs(watched.value(index))
            widest = values.reshape(-1, values.shape[-1]).max(axis=0)
            ratios.append(float(widest.max() / widest[widest > 0].min()))
    return ratios


def test_the_model_computes_the_same_with_channels_more_similar() -> None:
    before = uneven_float()
    after = equalize(before, SPEC, pictures())
    assert after.groups >= 3
    assert after.widest > 50
    np.testing.assert_allclose(outputs(after.model), outputs(before), rtol=1e-4, atol=1e-4)
    assert max(channel_ranges(after.model)) < 0.5 * max(channel_ranges(before))


def test_int8_keeps_more_of_an_uneven_model() -> None:
    before = uneven_float()
    after = equalize(before, SPEC, pictures()).model
    # Six decibels are a bit of every value.
    assert int8_sqnr_db(after) > int8_sqnr_db(before) + 6


def test_a_sum_and_what_is_added_share_their_factors() -> None:
    graph = FloatGraph(uneven_float())
    added = next(op for op in graph.graph.operators if op.op == "ADD")
    group = next(g for g in find_groups(graph) if added.outputs[0] in g.tensors)
    assert set(added.inputs) <= group.tensors
    assert len(group.producers) == 2


def test_nothing_is_changed_before_a_sigmoid() -> None:
    import keras

    image = keras.Input(SHAPE)
    features = keras.layers.Conv2D(4, 3, activation="sigmoid")(image)
    features = keras.layers.GlobalAveragePooling2D()(features)
    content = float_model(keras.Model(image, keras.layers.Dense(2)(features)))
    after = equalize(content, SPEC, pictures())
    assert (after.groups, after.model) == (0, content)


@pytest.mark.parametrize(("gain", "expected"), [(0.01, RELU), (100.0, RELU6)])
def test_a_relu6_becomes_a_relu_only_where_it_limits_nothing(gain: float, expected: int) -> None:
    import keras

    keras.utils.set_random_seed(1)
    image = keras.Input(SHAPE)
    first = keras.layers.Conv2D(6, 3, name="first")
    features = keras.layers.ReLU(6.0)(first(image))
    features = keras.layers.Conv2D(4, 1)(features)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(features))
    kernel, bias = first.get_weights()
    first.set_weights([gain * kernel, bias])
    content = float_model(model)
    after = equalize(content, SPEC, pictures())
    graph = FloatGraph(after.model)
    assert graph.activation(graph.weighted[0]) == expected
    np.testing.assert_allclose(outputs(after.model), outputs(content), rtol=1e-4, atol=1e-4)
