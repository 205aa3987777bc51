from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.classification.task import softmax
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder, ValueSpec
from edgeinfer.device.tasks.task import Said


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_softmax_sums_to_one_and_keeps_the_order(logits: list[float]) -> None:
    probabilities = softmax(np.array(logits))
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities[int(np.argmax(logits))] == probabilities.max()


def decode(task: str, said: Said, tensor: TensorSpec, output: NDArray[np.generic]) -> Prediction:
    return make_decode(task, said, [tensor], PreprocessSpec(size=(8, 8)))([output])


def test_logits_and_probabilities_are_distinguished() -> None:
    tensor = TensorSpec(name="out", shape=(1, 2), dtype="int8", scale=1.0, zero_point=0)
    said = Said(labels=("a", "b"), decoder=Decoder(activation="softmax"))
    logits = decode("classification", said, tensor, np.array([[0, 2]], np.int8))
    assert logits.score("b") == pytest.approx(np.e**2 / (1 + np.e**2))
    half = TensorSpec(name="out", shape=(1, 2), dtype="uint8", scale=1 / 256, zero_point=0)
    said = Said(labels=("a", "b"))
    plain = decode("classification", said, half, np.array([[64, 192]], np.uint8))
    assert plain.ranked(2) == [("b", 0.75), ("a", 0.25)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_null_in_json(bad: float) -> None:
    tensor = TensorSpec(name="out", shape=(1, 2), dtype="float32")
    output = np.array([[bad, bad]], np.float32)
    for activation in ("softmax", "none"):
        said = Said(labels=("a", "b"), decoder=Decoder(activation=activation))
        answer = decode("classification", said, tensor, output)
        assert answer.to_json()["probability"] is None
        json.dumps(answer.to_json(), allow_nan=False)
    vector = decode("embedding", Said(), tensor, output)
    assert vector.to_json() == {"embedding": [None, None]}


def test_a_value_is_scaled_into_its_unit() -> None:
    tensor = TensorSpec(name="out", shape=(1, 1), dtype="int8", scale=0.5, zero_point=10)
    said = Said(value=ValueSpec(unit="bar", scale=2.0, offset=1.0))
    value = decode("value", said, tensor, np.array([[20]], np.int8))
    assert value.quantities() == {"value": 11.0}
    assert value.cells() == {"value": 11.0, "unit": "bar"}
