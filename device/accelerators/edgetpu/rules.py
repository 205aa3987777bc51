"""Which operators the Edge TPU's compiler takes, up to which version, within which limits.

Source of the operators and limits: see `limits.py`. The versions are not documented; they are the
highest that TensorFlow Lite 2.5 has kernels for, which the runtime of compiler 16 goes with.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.accelerators.edgetpu import limits
from edgeinfer.device.accelerators.operands import Limit, OpView, matters, sizes_text

DTYPES = ("int8", "uint8")
"""What flows through the Edge TPU."""

MOST_DIMENSIONS = 3
"""Only the three innermost dimensions of a tensor may be above 1."""


@dataclass(frozen=True, kw_only=True)
class OpRule:
    """What the compiler asks of one kind of operator.

    Attributes:
        version: the highest that it knows.
        limits: what else it asks.
    """

    version: int
    limits: tuple[Limit, ...] = ()


_RESIZE = (limits.resized,)
_REDUCE = (limits.no_batch_reduction,)
_POOL = (limits.no_fused_activation,)
_CONVOLUTION = (limits.constant_parameters, limits.same_dilation)

RULES: dict[str, OpRule] = {
    "ADD": OpRule(version=4),
    "AVERAGE_POOL_2D": OpRule(version=3, limits=_POOL),
    "CONCATENATION": OpRule(version=3, limits=(limits.no_fused_activation, limits.zero_constant)),
    "CONV_2D": OpRule(version=5, limits=_CONVOLUTION),
    "DEPTHWISE_CONV_2D": OpRule(version=6, limits=_CONVOLUTION),
    "EXPAND_DIMS": OpRule(version=1, limits=(limits.constant_operands,)),
    "FULLY_CONNECTED": OpRule(
        version=9,
        limits=(
            limits.constant_parameters,
            limits.per_tensor_weights,
            limits.default_weights,
            limits.one_dimensional_output,
        ),
    ),
    "L2_NORMALIZATION": OpRule(version=2),
    "LOGISTIC": OpRule(version=3),
    "LSTM": OpRule(version=4),
    "MAXIMUM": OpRule(version=4),
    "MAX_POOL_2D": OpRule(version=3, limits=_POOL),
    "MEAN": OpRule(version=3, limits=(*_REDUCE, limits.depth_of_mean)),
    "MINIMUM": OpRule(version=4),
    "MUL": OpRule(version=5),
    "PACK": OpRule(version=4, limits=(limits.no_batch_pack,)),
    "PAD": OpRule(version=4, limits=(limits.no_batch_padding,)),
    "PRELU": OpRule(version=1, limits=(limits.one_dimensional_alpha,)),
    "QUANTIZE": OpRule(version=2),
    "REDUCE_MAX": OpRule(version=3, limits=_REDUCE),
    "REDUCE_MIN": OpRule(version=3, limits=_REDUCE),
    "RELU": OpRule(version=3),
    "RELU6": OpRule(version=3),
    "RELU_N1_TO_1": OpRule(version=1),
    "RESHAPE": OpRule(version=1, limits=(limits.constant_operands,)),
    "RESIZE_BILINEAR": OpRule(version=4, limits=_RESIZE),
    "RESIZE_NEAREST_NEIGHBOR": OpRule(version=4, limits=_RESIZE),
    "RSQRT": OpRule(version=2),
    "SLICE": OpRule(version=5, limits=(limits.constant_operands,)),
    "SOFTMAX": OpRule(version=3, limits=(limits.vector_softmax,)),
    "SPACE_TO_DEPTH": OpRule(version=2),
    "SPLIT": OpRule(version=4, limits=(limits.no_batch_split,)),
    "SQUARED_DIFFERENCE": OpRule(version=2),
    "SQUEEZE": OpRule(version=2),
    "STRIDED_SLICE": OpRule(version=6, limits=(limits.constant_operands, limits.unit_strides)),
    "SUB": OpRule(version=5),
    "SUM": OpRule(version=2, limits=_REDUCE),
    "TANH": OpRule(version=3),
    "TILE": OpRule(version=2, limits=(limits.broadcast,)),
    "TRANSPOSE": OpRule(version=6, limits=(limits.constant_operands, limits.moderate_transpose)),
    "TRANSPOSE_CONV": OpRule(version=3, limits=(limits.constant_first,)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": OpRule(version=3),
}


def refusal(op: OpView) -> str:
    """Return why the compiler does not take an operator, whatever its neighbours; else ""."""
    operator = op.operator
    rule = None if operator.custom else RULES.get(operator.op)
    # Types come first: of a float model, the types are what is wrong, not the operators.
    for tensor in op.activations:
        if tensor.dtype not in DTYPES:
            if rule is None:
                break
            return f"works on {tensor.dtype}, not on int8 or uint8"
    if rule is None:
        return "custom operator" if operator.custom else "the Edge TPU has no such operator"
    if operator.version > rule.version:
        return f"version {operator.version} is newer than the compiler knows ({rule.version})"
    for tensor in op.activations:
        # The first dimension, the batch, is allocated as 1 where it varies.
        if any(size < 0 for size in tensor.shape_signature[1:]):
            return "the shape of a tensor varies"
    for tensor in op.activations:
        if matters(tensor.shape) > MOST_DIMENSIONS:
            if len(tensor.shape) == MOST_DIMENSIONS + 1:
                return f"the batch of {sizes_text(tensor)} is not 1"
            return f"{sizes_text(tensor)}: only the 3 innermost sizes may be above 1"
    return next((reason for limit in rule.limits if (reason := limit(op))), "")
