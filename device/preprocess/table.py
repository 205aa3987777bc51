"""What each pixel value becomes in a tensor: normalization and quantization as one table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess.spec import PreprocessSpec

_INTEGER_INPUTS = ("uint8", "int8", "int16")
PIXEL_DTYPES = ("float32", "float16", *_INTEGER_INPUTS)
"""What a model's input may be."""


def normalize_table(spec: PreprocessSpec) -> NDArray[np.float32]:
    """Return what each pixel value becomes in a float32 input: (depth, 256) float32."""
    return _real_values(spec).astype(np.float32)


def tensor_table(spec: PreprocessSpec, tensor: TensorSpec) -> NDArray[np.generic]:
    """Return what each pixel value becomes in `tensor`: (depth, 256) of its dtype.

    A tensor of integers without a scale holds the real values themselves, rounded.

    Raises:
        ValueError: pixels cannot be put into a tensor of that dtype.
    """
    if tensor.dtype in ("float32", "float16"):
        return normalize_table(spec).astype(tensor.dtype)
    if tensor.dtype not in _INTEGER_INPUTS:
        raise ValueError(
            f"tensor '{tensor.name}': dtype is {tensor.dtype}, expected one of "
            f"{', '.join(PIXEL_DTYPES)}"
        )
    quantized = np.rint(_real_values(spec) / (tensor.scale or 1)) + tensor.zero_point
    limits = np.iinfo(tensor.dtype)
    table: NDArray[np.generic] = np.clip(quantized, limits.min, limits.max).astype(tensor.dtype)
    return table


def identity_table(spec: PreprocessSpec) -> NDArray[np.uint8]:
    """Return the table that leaves pixel values as they are: (depth, 256) uint8."""
    return np.tile(np.arange(256, dtype=np.uint8), (spec.depth, 1))


def _real_values(spec: PreprocessSpec) -> NDArray[np.float64]:
    """Return each pixel value normalized: (depth, 256) float64."""
    mean, std = np.array(spec.mean)[:, None], np.array(spec.std)[:, None]
    values: NDArray[np.float64] = (np.arange(256.0) - mean) / std
    return values
