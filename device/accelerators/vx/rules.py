"""What the NPU of NXP's i.MX 8M Plus takes through the VX delegate, operator by operator.

Source of the operators and limits: the table of mappers and the checks in op_map.cc of NXP's public
fork of the delegate (nxp-imx/tflite-vx-delegate-imx); other operators run on the CPU, each by
itself. The delegate checks no operator's version: the runtime that it was built with decides.

Beyond what the delegate checks, one thing is said of what it takes: the NPU's core multiplies
integers (NXP, AN13854, table 1: 8 or 16 bits), so floating point takes its slow paths. How slow is
not documented, and nothing here was measured on the NPU.
"""

from __future__ import annotations

from edgeinfer.device.accelerators.mapping import SUPPORTED, MappedOp, OpMapping
from edgeinfer.device.accelerators.operands import Limit, OpView, sizes_text, view
from edgeinfer.device.accelerators.partitions import partitions
from edgeinfer.device.accelerators.registry import compiled_by
from edgeinfer.device.accelerators.vx import limits
from edgeinfer.device.tflite.model import TfliteModel

GRAPH_OP = "vsi-npu"
"""The custom operator for a graph that VeriSilicon's tools compiled before."""

DTYPES = ("int8", "uint8", "int16", "int32", "float16", "float32", "bool")
MOST_DIMENSIONS = 6
MOST_SIZE = 65_535
"""Of every size but the first."""

_ANY: tuple[Limit, ...] = ()
_SHAPE = (limits.known_shape,)
_AXES = (limits.constant_operand,)

RULES: dict[str, tuple[Limit, ...]] = {
    **dict.fromkeys(
        (
            *("ABS", "ADD_N", "AVERAGE_POOL_2D", "CONCATENATION", "ELU", "EQUAL", "EXP", "FLOOR"),
            *("FLOOR_DIV", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL"),
            *("HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU", "LESS", "LESS_EQUAL"),
            *("LOCAL_RESPONSE_NORMALIZATION", "LOG", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"),
            *("LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "NEG", "NOT_EQUAL", "PRELU"),
            *("RELU", "RELU6", "RELU_N1_TO_1", "RNN", "RSQRT", "SIN", "SOFTMAX", "SQRT"),
            *("SQUARE", "SQUEEZE", "TANH", "UNPACK"),
        ),
        _ANY,
    ),
    **dict.fromkeys(("ADD", "DIV", "MUL", "SUB"), (limits.arithmetic,)),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), (limits.largest_index,)),
    **dict.fromkeys(
        ("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND"), (limits.space_and_batch, limits.known_shape)
    ),
    **dict.fromkeys(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), (limits.no_whole_numbers, limits.scaled)),
    **dict.fromkeys(
        (
            *("EXPAND_DIMS", "MEAN", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"),
            *("REVERSE_V2", "SUM"),
        ),
        _AXES,
    ),
    **dict.fromkeys(("PAD", "RESHAPE", "TRANSPOSE", "TRANSPOSE_CONV"), _SHAPE),
    **dict.fromkeys(
        ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), (limits.constant_operand, limits.scaled)
    ),
    **dict.fromkeys(("SELECT", "SELECT_V2"), (limits.selection,)),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), (limits.scaled,)),
    "BATCH_MATMUL": (limits.matrix_product,),
    "CONV_2D": (limits.same_types, limits.batch_of_groups),
    "CONV_3D": (limits.same_types, limits.no_dilation_3d),
    "DEPTHWISE_CONV_2D": (limits.same_types,),
    "DEQUANTIZE": (limits.dequantizes,),
    "FULLY_CONNECTED": (limits.same_types, limits.dense),
    "ONE_HOT": (limits.one_hot,),
    "PACK": (limits.packed,),
    "POW": (limits.no_whole_powers,),
    "QUANTIZE": (limits.quantizes,),
    "SLICE": (limits.whole_batch,),
    "STRIDED_SLICE": (limits.constant_slice,),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (limits.sequence,),
}


def refusal(op: OpView) -> str:
    """Return why the delegate leaves an operator to the CPU; else ""."""
    operator = op.operator
    if operator.custom:
        if (other := compiled_by(operator.op)) is not None:
            return f"compiled for another accelerator ({other.name})"
        return "" if operator.op == GRAPH_OP else "custom operator"
    rule = RULES.get(operator.op)
    if rule is None:
        return "the VX delegate has no such operator"
    for tensor in op.outputs:
        if tensor.dtype not in DTYPES or tensor.dtype == "int16":
            return f"writes {tensor.dtype}"
    for tensor in filter(None, op.inputs):
        if tensor.dtype not in DTYPES:
            return f"reads {tensor.dtype}"
        if len(tensor.shape) > MOST_DIMENSIONS:
            return f"{sizes_text(tensor)} has more than {MOST_DIMENSIONS} dimensions"
        if any(size > MOST_SIZE for size in tensor.shape[1:]):
            return f"{sizes_text(tensor)} has a size above {MOST_SIZE:,}"
    for tensor in (*filter(None, op.inputs), *op.outputs):
        if 0 in tensor.shape:
            return f"{sizes_text(tensor)} is empty"
    return next((reason for limit in rule if (reason := limit(op))), "")


def map_vx(model: TfliteModel) -> OpMapping:
    """Predict what the VX delegate takes of a model, and in how many parts."""
    graph = model.subgraphs[0] if model.subgraphs else None
    if graph is None:
        return OpMapping(ops=())
    views = [view(graph, operator) for operator in graph.operators]
    refusals = [refusal(op) for op in views]
    slow = [_float_dtype(op) for op in views]
    ops = tuple(
        MappedOp(
            index=index,
            op=operator.op,
            target="cpu" if refused else "vx",
            reason=refused or (f"{SUPPORTED}, slow: {dtype}" if dtype else SUPPORTED),
            supported=not refused,
        )
        for index, (operator, refused, dtype) in enumerate(
            zip(graph.operators, refusals, slow, strict=True)
        )
    )
    parts = partitions(graph.operators, [op.supported for op in ops])
    count = sum(op.supported and bool(dtype) for op, dtype in zip(ops, slow, strict=True))
    return OpMapping(
        ops=ops,
        partitions=sum(part.supported for part in parts),
        remark=f"{count} of them in floating point, which its integer core is slow at"
        if count
        else "",
    )


def _float_dtype(op: OpView) -> str:
    """Return the floating-point type that an operator works on; empty for none."""
    found = (tensor.dtype for tensor in op.activations if tensor.dtype in limits.FLOATS)
    return next(found, "")
