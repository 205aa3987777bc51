"""A division by 255 that was folded into a convolution is found by the size of its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.models.input_range.first_weights import wants_whole_pixels
from edgeinfer.device.models.model import Model
from edgeinfer.device.tflite.model import Quantization, Subgraph, Tensor
from tests.device.graph_examples import image, model


def graph(weights: Tensor, *, op: str = "CONV_2D", before: str = "PAD") -> Subgraph:
    """An input, an operator that only passes it on, and one with weights."""
    tensors = [image(1, 8, 8, 3), image(1, 8, 8, 3), weights, image(1, 8, 8, 4)]
    steps = [(before, (0,), (1,)), (op, (1, 2), (3,))]
    return model(tensors, steps, inputs=(0,), outputs=(3,)).subgraphs[0]


def filters(size: float, dtype: str = "float32") -> Tensor:
    values = np.random.default_rng(0).normal(0, size, (4, 3, 3, 3)).astype(dtype)
    return Tensor(name="w", shape=values.shape, dtype=dtype, data=memoryview(values.tobytes()))


@pytest.mark.parametrize(("size", "found"), [(0.1, False), (0.1 / 255, True), (1.0, False)])
def test_small_weights_are_for_whole_pixels(size: float, found: bool) -> None:
    assert wants_whole_pixels(graph(filters(size))) is found
    assert wants_whole_pixels(graph(filters(size, "float16"))) is found


def test_other_first_operators_tell_nothing() -> None:
    small = filters(0.1 / 255)
    assert not wants_whole_pixels(graph(small, op="FULLY_CONNECTED"))
    assert not wants_whole_pixels(graph(small, before="RELU"))
    assert not wants_whole_pixels(graph(filters(0.0)))
    assert not wants_whole_pixels(graph(image(4, 3, 3, 3)))


def test_integers_count_by_their_scales() -> None:
    values = np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3), np.int8)
    for scale, found in ((0.01, False), (0.01 / 255, True)):
        weights = Tensor(
            name="w", shape=values.shape, dtype="int8", data=memoryview(values.tobytes()),
            quantization=Quantization(scales=(scale,) * 4, zero_points=(0,) * 4),
        )  # fmt: skip
        assert wants_whole_pixels(graph(weights)) is found


@given(
    st.binary(max_size=500),
    st.lists(st.integers(0, 9), min_size=4, max_size=4).map(tuple),
    st.sampled_from(["float32", "float16", "int8", "int64"]),
)
def test_any_weights_tell_something_or_nothing(
    data: bytes, shape: tuple[int, ...], dtype: str
) -> None:
    weights = Tensor(name="w", shape=shape, dtype=dtype, data=memoryview(data))
    assert wants_whole_pixels(graph(weights)) in (True, False)


def test_a_real_network_for_whole_pixels(shared_data: Path) -> None:
    with Model.open(shared_data / "mlperf_tiny" / "pretrainedResnet.tflite") as opened:
        assert opened.preprocessor.spec.std == (1.0, 1.0, 1.0)
        assert any("first convolution" in note for note in opened.notes)
