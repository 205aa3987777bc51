from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.core.tensors import TensorSpec


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
