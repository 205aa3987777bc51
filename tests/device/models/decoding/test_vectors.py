from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.decoding import Decoder, ValueSpec
from edgeinfer.device.models.decoding.vectors import decode_classification, decode_value, softmax


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_softmax_sums_to_one_and_keeps_the_order(logits: list[float]) -> None:
    probabilities = softmax(np.array(logits))
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities[int(np.argmax(logits))] == probabilities.max()


def test_logits_and_probabilities_are_told_apart() -> None:
    tensor = TensorSpec(name="out", shape=(1, 2), dtype="int8", scale=1.0, zero_point=0)
    output = np.array([[0, 2]], np.int8)
    logits = decode_classification(output, tensor, Decoder(activation="softmax"), ("a", "b"))
    assert logits.probability == pytest.approx(np.e**2 / (1 + np.e**2))
    half = TensorSpec(name="out", shape=(1, 2), dtype="uint8", scale=1 / 256, zero_point=0)
    plain = decode_classification(np.array([[64, 192]], np.uint8), half, Decoder(), ("a", "b"))
    assert plain.probabilities.tolist() == [0.25, 0.75]


def test_a_value_is_scaled_into_its_unit() -> None:
    tensor = TensorSpec(name="out", shape=(1, 1), dtype="int8", scale=0.5, zero_point=10)
    spec = ValueSpec(unit="bar", scale=2.0, offset=1.0)
    assert decode_value(np.array([[20]], np.int8), tensor, spec).value == 11.0
