"""What the first operators of a graph do to its input, and which range of pixels that fits.

Many models normalize pixels themselves: a leading MUL, ADD, SUB or DIV with constants, as a
Rescaling, Normalization or batch normalization layer becomes, computes y = a x + b. The range of x
for which y is centred best is the one that the model wants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.input_range.constants import constant_tensor, stored_numbers
from edgeinfer.device.tflite.model import Subgraph

_MOST_STEPS = 12
_MOST_CHANNELS = 4
_PASS = {"CAST", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "QUANTIZE", "EXPAND_DIMS", "SQUEEZE"}
_ARITHMETIC = {"MUL", "ADD", "SUB", "DIV"}
_ENDS: dict[str, tuple[float, float]] = {"0..255": (0, 255), "0..1": (0, 1), "-1..1": (-1, 1)}
_LEAST_SPAN = 0.3
"""A normalized input is at least so wide; 0..1 through a division by 255 is 0.004 wide."""
_MOST_OFF_CENTRE = 0.75
"""How far the centre of a normalized input may be from 0, in widths: 0..1 is 0.5 off."""
_SMALL_FACTOR = 0.05
"""A factor that makes ones of pixels 0 to 255: 1/255, 1/127.5, 1/58."""


@dataclass(frozen=True, kw_only=True)
class Leading:
    """What is known from the first operators.

    Attributes:
        factor: a of y = a x + b, (1,) or (channels,).
        offset: b.
        operators: those that compute it; empty where nothing is computed.
        quantized: the tensor that a leading QUANTIZE makes of the input as it is, or None.
    """

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]
    operators: tuple[str, ...]
    quantized: TensorSpec | None


def read_leading(graph: Subgraph) -> Leading:
    """Return what the operators behind the first input compute, up to the first that is more."""
    # What a file states may overflow; `fitting_range` looks at that.
    with np.errstate(all="ignore"):
        return _followed(graph)


def _followed(graph: Subgraph) -> Leading:
    factor, offset = np.ones(1), np.zeros(1)
    operators: list[str] = []
    quantized: TensorSpec | None = None
    current = graph.inputs[0]
    for _ in range(_MOST_STEPS):
        readers = [step for step in graph.operators if current in step.inputs]
        if len(readers) != 1 or len(readers[0].outputs) != 1:
            break
        (step,) = readers
        made = graph.tensors[step.outputs[0]]
        if step.op in _PASS and step.inputs[0] == current:
            if step.op == "QUANTIZE" and not operators and made.scale:
                quantized = made.spec()
        elif step.op in _ARITHMETIC and len(step.inputs) == 2:
            first = step.inputs[0] == current
            values = _constant(graph, step.inputs[1 if first else 0])
            if values is None or not _fits(max(factor, offset, key=np.size), values):
                break
            if step.op == "MUL":
                factor, offset = factor * values, offset * values
            elif step.op == "ADD":
                offset = offset + values
            elif step.op == "SUB":
                factor, offset = (factor, offset - values) if first else (-factor, values - offset)
            elif first and np.all(values != 0):
                factor, offset = factor / values, offset / values
            else:
                break
            operators.append(step.op)
        else:
            break
        current = step.outputs[0]
    return Leading(factor=factor, offset=offset, operators=tuple(operators), quantized=quantized)


def fitting_range(leading: Leading) -> str | None:
    """Return the range of pixels for which y is centred best; None where that tells nothing.

    >>> values = {"operators": ("MUL",), "quantized": None}
    >>> fitting_range(Leading(factor=np.array([1 / 255]), offset=np.zeros(1), **values))
    '0..255'
    """
    if not leading.operators:
        return None
    if not (np.isfinite(leading.factor).all() and np.isfinite(leading.offset).all()):
        return None
    size = float(np.abs(leading.factor).mean())
    # A factor alone such as 2 fits every range.
    if size > _SMALL_FACTOR and not np.any(np.abs(leading.offset) > 1e-3):
        return None
    found: list[tuple[float, str]] = []
    for name, (low, high) in _ENDS.items():
        span = size * (high - low)
        centre = float(np.mean(leading.factor * (low + high) / 2 + leading.offset))
        if span >= _LEAST_SPAN and abs(centre) <= _MOST_OFF_CENTRE * span:
            found.append((abs(centre) / span, name))
    return min(found)[1] if found else None


def _fits(factor: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Return whether two constants are for the same channels."""
    return 1 in (factor.size, values.size) or factor.size == values.size


def _constant(graph: Subgraph, number: int) -> NDArray[np.float64] | None:
    """Return a constant of one number, or one for each of up to four channels."""
    if number < 0:
        return None
    tensor = constant_tensor(graph, number)
    real = stored_numbers(tensor, _MOST_CHANNELS)
    if real is not None and tensor.quantization is not None:
        scales = np.array(tensor.quantization.scales)
        zeros = np.array(tensor.quantization.zero_points)
        if scales.size not in (1, real.size) or zeros.size not in (1, real.size):
            return None
        real = (real - zeros) * scales
    return real
