"""What kernels demand of the scales of 8-bit and 16-bit tensors, and end the process without.

A kernel turns scales into a multiplier of integers as it is prepared, and checks it by assertions,
which end the process. Source: the kernels of LiteRT 2.3 and TensorFlow Lite 2.14
(tflite/kernels/*.cc, internal/quantization_util.cc); the limits were seen by running generated
models (tests/fuzz).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from edgeinfer.device.tflite.flatbuffer import FlatbufferError
from edgeinfer.device.tflite.model import Operator, Tensor

_NARROW = ("int8", "uint8", "int4", "int2")
_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (0, 0)}
"""Zero points; kernels of 16 bits know none but 0."""

_ACTIVATIONS = range(6)
"""The schema's enum ActivationFunctionType."""

_COMPARISONS = frozenset(["EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"])
_SCALED = _COMPARISONS.union(
    ["ABS", "ELU", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "RSQRT", "TANH"],
    ["RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "PRELU"],
    ["ADD", "DIV", "MUL", "SQUARED_DIFFERENCE", "SUB"],
    ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SVDF", "TRANSPOSE_CONV"],
    ["L2_NORMALIZATION", "LOG_SOFTMAX", "SOFTMAX"],
    ["DEQUANTIZE", "QUANTIZE", "TFLite_Detection_PostProcess"],
)
"""Operators whose kernels turn the scales of all their 8-bit tensors into multipliers ..."""
_WITH_WEIGHTS = frozenset(
    ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "SVDF", "TRANSPOSE_CONV"]
)
"""Operators that take a scale for each channel of weights, their second input."""
_SCALED_TOGETHER = frozenset(["BATCH_MATMUL", "CONCATENATION", "MEAN", "REDUCE_PROD", "SUM"])
"""... and those that do so where a tensor has a scale."""


def check_scales(
    operator: Operator, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, subject: str
) -> None:
    """Refuse an operator whose kernel cannot compute with its tensors' scales.

    Args:
        operator: one that fits its signature.
        inputs: those of its inputs that are there.
        outputs: its outputs.
        subject: the operator, for errors.

    Raises:
        FlatbufferError: naming the operator and the scale.
    """
    op = operator.op
    activation = operator.options.get("fused_activation", 0)
    if activation not in _ACTIVATIONS:
        raise FlatbufferError(f"{subject}: its activation has the unknown number {activation}")
    tensors = [*inputs, *outputs]
    narrow = [tensor for tensor in tensors if tensor.dtype in _NARROW]
    wide = [tensor for tensor in tensors if tensor.dtype == "int16"]
    if op in _SCALED:
        _check_present(narrow, subject)
        _check_together(wide, subject)
        _check_one_scale([*inputs[:1], *inputs[2:]] if op in _WITH_WEIGHTS else inputs, subject)
        _check_one_scale(outputs, subject)
    elif op in _SCALED_TOGETHER:
        _check_together([*narrow, *wide], subject)
    else:
        return
    for tensor in (*narrow, *wide):
        _check_zero_points(tensor, subject)
    demand = _DEMANDS.get(op)
    if demand is not None and any(map(_scale, (*narrow, *wide))):
        fault = demand(inputs, outputs)
        if fault:
            raise FlatbufferError(f"{subject}: {fault}")


def _check_present(tensors: Sequence[Tensor], subject: str) -> None:
    for tensor in tensors:
        if min(_scales(tensor), default=0.0) <= 0:
            raise FlatbufferError(
                f"{subject}: tensor '{tensor.name}' ({tensor.dtype}) has no scale"
            )


def _check_together(tensors: Sequence[Tensor], subject: str) -> None:
    if any(_scales(tensor) for tensor in tensors):
        _check_present(tensors, subject)


def _check_one_scale(tensors: Sequence[Tensor], subject: str) -> None:
    """Refuse scales for each channel where a kernel takes one: it would take none."""
    for tensor in tensors:
        if tensor.dtype in (*_NARROW, "int16") and tensor.channels:
            raise FlatbufferError(
                f"{subject}: tensor '{tensor.name}' has {tensor.channels} scales, expected one"
            )


def _check_zero_points(tensor: Tensor, subject: str) -> None:
    low, high = _RANGES.get(tensor.dtype, (-math.inf, math.inf))
    points = tensor.quantization.zero_points if tensor.quantization else ()
    for point in points:
        if not low <= point <= high:
            raise FlatbufferError(
                f"{subject}: tensor '{tensor.name}' ({tensor.dtype}) has the zero point {point}"
            )


def _scales(tensor: Tensor) -> tuple[float, ...]:
    return tensor.quantization.scales if tensor.quantization else ()


def _scale(tensor: Tensor) -> float:
    return max(_scales(tensor), default=0.0)


_Demand = Callable[[Sequence[Tensor], Sequence[Tensor]], str]


def _compares(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> str:
    largest = max(map(_scale, inputs))
    return f"its inputs' scale is {largest:.3g}, expected below 1" if largest >= 1 else ""


def _adds(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> str:
    # Sums have this many bits to spare; 16-bit powers of two are shifted and take another way.
    bits = 15 if outputs[0].dtype == "int16" else 20
    scales = [_scale(tensor) for tensor in (*inputs, *outputs)]
    if bits == 15 and all(math.frexp(scale)[0] == 0.5 for scale in scales):
        return ""
    return _too_small(2 * max(map(_scale, inputs)) / 2**bits, outputs)


def _squares_difference(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> str:
    return _too_small((2 * max(map(_scale, inputs))) ** 2 / 2**14, outputs)


def _too_small(least: float, outputs: Sequence[Tensor]) -> str:
    scale = _scale(outputs[0])
    return (
        f"its output's scale is {scale:.3g}, expected above {least:.3g}" if scale <= least else ""
    )


_DEMANDS: Mapping[str, _Demand] = {
    **dict.fromkeys(_COMPARISONS, _compares),
    "ADD": _adds,
    "SUB": _adds,
    "SQUARED_DIFFERENCE": _squares_difference,
}
