"""What an 8-bit input covers, and which pixels that is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.models.input_range.quantized import (
    quantized_normalization,
    quantized_range,
)
from edgeinfer.device.preprocess.input_range import RANGES


def tensor(scale: float, zero_point: int, dtype: TensorDtype = "int8") -> TensorSpec:
    return TensorSpec(name="x", shape=(1, 2, 2, 3), dtype=dtype, scale=scale, zero_point=zero_point)


@pytest.mark.parametrize(
    ("spec", "name", "whole"),
    [
        (tensor(1 / 128, 128, "uint8"), "-1..1", True),
        (tensor(2 / 255, -1), "-1..1", True),
        (tensor(1 / 255, -128), "0..1", True),
        (tensor(1.0, 0, "uint8"), "0..255", True),
        # Calibrated on pictures that fill a part of the range.
        (tensor(0.6 / 255, -128), "0..1", False),
        (tensor(0.6 / 255, 0, "uint8"), "0..1", False),
        (tensor(180 / 255, -128), "0..255", False),
        (tensor(1.7 / 255, 7), "-1..1", False),
        (tensor((2.64 + 2.12) / 255, -14), "imagenet", False),
        # A whole range, though not a usual one.
        (tensor(1 / 255, -1), None, False),
        (tensor(0.012566, 131, "uint8"), None, False),
        (tensor(0.01, -128), None, False),
    ],
)
def test_the_usual_ranges(spec: TensorSpec, name: str | None, whole: bool) -> None:
    found = quantized_range(spec)
    assert (found.name, found.whole) == (name, whole)


@pytest.mark.parametrize("name", ["0..1", "0..255"])
def test_a_part_of_a_range_is_fed_as_the_range(name: str) -> None:
    scale = 0.6 / 255 * (255 if name == "0..255" else 1)
    normalization, reason = quantized_normalization(tensor(scale, -128))
    assert normalization == RANGES[name]
    assert "a part of" in reason


@given(st.floats(1e-6, 1e3), st.integers(-128, 127))
def test_any_quantization_gives_a_normalization(scale: float, zero_point: int) -> None:
    spec = tensor(scale, zero_point)
    ((mean, *_), (std, *_)), reason = quantized_normalization(spec)
    assert reason
    if not quantized_range(spec).name:
        pixels = np.arange(256)
        values = np.rint((pixels - mean) / std / scale) + zero_point
        assert np.abs(values - (pixels - 128)).max() <= 1
