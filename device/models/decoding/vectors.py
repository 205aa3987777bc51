"""Outputs that are one vector: class probabilities, a value, an embedding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.decoding.spec import Decoder, ValueSpec
from edgeinfer.device.models.predictions.kinds import Classification, Embedding, Value


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, (classes,) float64, that sum to 1."""
    exponents = np.exp(logits - logits.max())
    result: NDArray[np.float64] = exponents / exponents.sum()
    return result


def decode_classification(
    output: NDArray[np.generic], tensor: TensorSpec, decoder: Decoder, labels: tuple[str, ...]
) -> Classification:
    """Turn an output of (classes) numbers into class probabilities."""
    real = tensor.dequantize(output).reshape(-1)
    probabilities = softmax(real) if decoder.activation == "softmax" else real
    return Classification(labels=labels, probabilities=probabilities)


def decode_value(output: NDArray[np.generic], tensor: TensorSpec, value: ValueSpec) -> Value:
    """Turn a (1, 1) output into a quantity with its unit."""
    real = float(tensor.dequantize(output).reshape(-1)[0])
    return Value(value=real * value.scale + value.offset, unit=value.unit)


def decode_embedding(output: NDArray[np.generic], tensor: TensorSpec) -> Embedding:
    """Turn an output of (dimensions) numbers into a vector."""
    return Embedding(vector=tensor.dequantize(output).reshape(-1))
