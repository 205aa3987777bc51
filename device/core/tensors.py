"""Tensors as models state them, and how a model computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

KernelFamily = Literal["builtin", "xnnpack"]
"""Which CPU kernels computed an output: the two differ by a few steps, each is stable by itself."""

Precision = Literal["int8", "uint8", "int16x8", "dynamic", "float16", "float32"]
"""The number format of a model: `int8` and `uint8` compute only with integers; `int16x8` has 8-bit
weights and 16-bit activations; `dynamic` 8-bit weights and float activations; `float16` 16-bit
weights and float activations."""

TensorDtype = Literal["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "bool"]
DTYPES: tuple[str, ...] = get_args(TensorDtype)


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output of a model.

    A quantized value q stands for the real value (q - zero_point) * scale; scale 0 means that
    the tensor is not quantized.
    """

    name: str
    shape: tuple[int, ...]
    dtype: TensorDtype
    scale: float = 0.0
    zero_point: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible shapes, dtypes and scales."""
        if self.dtype not in DTYPES:
            raise ValueError(
                f"tensor '{self.name}': dtype is {self.dtype}, expected one of {DTYPES}"
            )
        if any(size < 1 for size in self.shape):
            raise ValueError(f"tensor '{self.name}': shape is {self.shape}, expected sizes from 1")
        if not 0.0 <= self.scale < float("inf"):
            raise ValueError(f"tensor '{self.name}': scale is {self.scale}, expected 0 or more")

    def dequantize(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the real values, float64, of the same shape."""
        real = values.astype(np.float64)
        return (real - self.zero_point) * self.scale if self.scale else real
