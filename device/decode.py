"""Output tensors to predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.types import Classification, TensorSpec, Value


@dataclass(frozen=True, kw_only=True)
class ValueSpec:
    """What a model of task `value` measures: value = output * scale + offset, in `unit`."""

    unit: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """How the output tensor becomes a prediction.

    Attributes:
        activation: `softmax` where the model gives logits, `none` where it gives probabilities or
            values already.
    """

    activation: Literal["softmax", "none"] = "none"


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, (classes,) float64, that sum to 1."""
    exponents = np.exp(logits - logits.max())
    result: NDArray[np.float64] = exponents / exponents.sum()
    return result


def decode_classification(
    output: NDArray[np.generic], tensor: TensorSpec, decoder: Decoder, labels: tuple[str, ...]
) -> Classification:
    """Turn a (1, classes) output into class probabilities."""
    real = tensor.dequantize(output).reshape(-1)
    probabilities = softmax(real) if decoder.activation == "softmax" else real
    return Classification(labels=labels, probabilities=probabilities)


def decode_value(output: NDArray[np.generic], tensor: TensorSpec, value: ValueSpec) -> Value:
    """Turn a (1, 1) output into a quantity with its unit."""
    real = float(tensor.dequantize(output).reshape(-1)[0])
    return Value(value=real * value.scale + value.offset, unit=value.unit)
