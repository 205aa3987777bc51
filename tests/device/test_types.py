from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.types import Classification, Frame, TensorSpec, Value


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4)])
def test_a_frame_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8"):
        Frame(pixels=np.zeros(shape, np.uint8), sequence=0, captured_ns=0)


def test_sizes_are_width_and_height() -> None:
    assert Frame(pixels=np.zeros((3, 5, 3), np.uint8), sequence=0, captured_ns=0).size == (5, 3)


@pytest.mark.parametrize(
    "wrong", [{"dtype": "int4"}, {"shape": (1, 0)}, {"scale": -1.0}, {"scale": float("inf")}]
)
def test_impossible_tensors_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"tensor 'image'.*expected"):
        TensorSpec(**{"name": "image", "shape": (1, 2), "dtype": "int8", **wrong})  # type: ignore[arg-type]


def test_quantized_values_become_real_ones() -> None:
    spec = TensorSpec(name="x", shape=(2,), dtype="int8", scale=0.5, zero_point=-3)
    assert spec.dequantize(np.array([-3, 1], np.int8)).tolist() == [0.0, 2.0]
    plain = TensorSpec(name="x", shape=(1,), dtype="float32")
    assert plain.dequantize(np.array([1.5], np.float32)).tolist() == [1.5]


def test_the_best_class_comes_first_and_of_equals_the_first() -> None:
    answer = Classification(labels=("a", "b", "c"), probabilities=np.array([0.2, 0.4, 0.4]))
    assert (answer.label, answer.probability) == ("b", 0.4)
    assert answer.top(2) == [("b", 0.4), ("c", 0.4)]
    assert answer.to_json()["label"] == "b"


def test_a_value_has_its_unit() -> None:
    assert Value(value=2.5, unit="bar").to_json() == {"value": 2.5, "unit": "bar"}
