"""A float model's weights: read, changed, and no other layer's with them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.quantize.float_graph import RELU, RELU6, FloatGraph
from tests.converters.keras_models import outputs, uneven_float

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def content() -> bytes:
    return uneven_float()


def test_what_is_set_is_there_after_writing(content: bytes) -> None:
    graph = FloatGraph(content)
    layer = graph.weighted[1]
    weights, bias = graph.weights(layer), graph.bias(layer)
    graph.set_weights(layer, 2 * weights)
    graph.set_bias(layer, bias + 1)
    graph.set_activation(layer, RELU6)
    again = FloatGraph(graph.to_bytes())
    np.testing.assert_array_equal(again.weights(layer), 2 * weights)
    np.testing.assert_array_equal(again.bias(layer), bias + 1)
    assert (graph.activation(layer), FloatGraph(content).activation(layer)) == (RELU6, RELU)


def test_constants_that_layers_share_are_copied(content: bytes) -> None:
    """The converter keeps one constant for all biases of zero."""
    graph = FloatGraph(content)
    operators = [op for op in graph.graph.operators if op.op == "CONV_2D"]
    biases = [op.inputs[2] for op in operators]
    shared = next(index for index in biases if biases.count(index) > 1)
    first, *others = (
        index
        for index in graph.weighted
        if graph.graph.operators[index].op == "CONV_2D"
        and graph.graph.operators[index].inputs[2] == shared
    )
    graph.set_bias(first, graph.bias(first) + 3)
    again = FloatGraph(graph.to_bytes())
    assert (again.bias(first) == 3).all()
    assert others
    assert all((again.bias(other) == 0).all() for other in others)


def test_another_shape_is_refused(content: bytes) -> None:
    graph = FloatGraph(content)
    with pytest.raises(ValueError, match="shape"):
        graph.set_bias(graph.weighted[0], np.zeros(1, np.float32))


def test_a_layer_without_a_bias_gets_one(content: bytes) -> None:
    graph = FloatGraph(content)
    layer = graph.weighted[-1]
    assert (graph.graph.operators[layer].op, len(graph.bias(layer))) == ("FULLY_CONNECTED", 3)
    graph.set_bias(layer, np.array([1, 2, 3], np.float32))
    before, after = outputs(content), outputs(graph.to_bytes())
    np.testing.assert_allclose(after, before + np.array([1, 2, 3]), rtol=1e-5, atol=1e-5)
