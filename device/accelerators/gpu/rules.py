"""What TensorFlow Lite's GPU delegate (OpenCL, OpenGL ES) takes, operator by operator.

Source of the operators and limits: `limits.py`. TensorFlow's page "GPU delegates for LiteRT"
names fewer operators, at version 1 and some at versions 2 and 3; it is older than the delegate,
whose check compares no versions. More than the check says:

- Tensors are float16 or float32; int8 and uint8 are computed in floating point, where the delegate
  is allowed to (TfLiteGpuDelegateOptionsV2Default allows it). A few operators read or write int32
  or bool. Tensors are of rank 4 at most (the delegate's BHWC layout).
- One part of the graph goes to the GPU, the largest (max_delegated_partitions is 1 by default).
- The delegate takes nothing of a graph with tensors of dynamic size, and no part in which the batch
  changes ("Only identical batch dimension is supported").
- Weights in float16 behind DEQUANTIZE are read as they are: these operators run nowhere.

Which types an operator may read and write beyond float, and the rank, are estimates: the check has
neither, and nothing was tried on a GPU. What a driver refuses is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.device.accelerators.gpu import limits
from edgeinfer.device.accelerators.mapping import SUPPORTED, MappedOp, OpMapping
from edgeinfer.device.accelerators.operands import Limit, OpView, sizes_text, view
from edgeinfer.device.accelerators.partitions import partitions
from edgeinfer.device.accelerators.registry import compiled_by
from edgeinfer.device.tflite.model import Operator, Subgraph, TfliteModel

QUANTIZED = ("int8", "uint8")
MOST_DIMENSIONS = 4
FOLDED = "float16 weights, read as they are"
LEFT_WEIGHTS = "float16 weights of an operator that is left"
SMALLER_PART = "supported, but not in the largest part"

_ANY: tuple[Limit, ...] = ()
_UNARY = (limits.operands(1, 0),)
_ONE = (limits.operands(1),)

RULES: dict[str, tuple[Limit, ...]] = {
    **dict.fromkeys(
        (
            *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LOG"),
            *("LOGISTIC", "NEG", "RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "TANH"),
        ),
        _UNARY,
    ),
    **dict.fromkeys(
        (
            *("ATAN2", "DIV", "EQUAL", "FLOOR_DIV", "FLOOR_MOD", "GREATER", "GREATER_EQUAL"),
            *("LESS", "LESS_EQUAL", "LOGICAL_AND", "MAXIMUM", "MINIMUM", "NOT_EQUAL", "POW"),
            *("SQUARED_DIFFERENCE", "SUB"),
        ),
        (limits.one_or_two,),
    ),
    **dict.fromkeys(
        (
            *("CONCATENATION", "LEAKY_RELU", "PACK", "PRELU", "RELU", "RELU6", "RELU_N1_TO_1"),
            *("SPLIT", "SPLIT_V"),
        ),
        _ANY,
    ),
    **dict.fromkeys(
        ("CUMSUM", "MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"),
        (limits.constant_axes,),
    ),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), (limits.operands(1), limits.activation)),
    **dict.fromkeys(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), (limits.blocks,)),
    **dict.fromkeys(("MIRROR_PAD", "PAD", "PADV2"), (limits.padding,)),
    **dict.fromkeys(("QUANTIZE", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "TILE", "TRANSPOSE"), _ONE),
    **dict.fromkeys(("SELECT", "SELECT_V2"), (limits.float_choice,)),
    "ADD": (limits.two_inputs, limits.broadcast),
    "ADD_N": (limits.two_inputs,),
    "BATCH_MATMUL": (limits.two_inputs,),
    "CAST": (limits.casts,),
    "CONV_2D": (limits.convolution,),
    "DEPTHWISE_CONV_2D": (limits.convolution, limits.depthwise),
    "DENSIFY": (limits.operands(0),),
    "DEQUANTIZE": (limits.no_int16,),
    "DYNAMIC_UPDATE_SLICE": (limits.updates,),
    "EMBEDDING_LOOKUP": (limits.looks_up,),
    "FULLY_CONNECTED": (limits.dense,),
    "GATHER": (limits.gathers,),
    "LSTM": (limits.long_memory,),
    "MUL": (limits.two_inputs, limits.one_covers_the_other, limits.activation),
    "ONE_HOT": (limits.one_hot,),
    "RESIZE_BILINEAR": (limits.one_kind_of_corners,),
    "SLICE": (limits.rank_3_or_4,),
    "SOFTMAX": (limits.plain_softmax,),
    "STABLEHLO_CLAMP": (limits.operands(3, 0),),
    "STRIDED_SLICE": (limits.plain_slice,),
    "TRANSPOSE_CONV": (limits.convolution,),
}

CUSTOM_OPS = (
    *("Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"),
    "Resampler",
)

_COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")
_ALSO_READ = {
    **dict.fromkeys(("LOGICAL_AND", "SELECT", "SELECT_V2"), ("bool",)),
    **dict.fromkeys(("DYNAMIC_UPDATE_SLICE", "EMBEDDING_LOOKUP", "GATHER", "ONE_HOT"), ("int32",)),
    "CAST": ("bool", "int32"),
}
_ALSO_WRITTEN = {"CAST": ("bool", "int32"), "LOGICAL_AND": ("bool",)} | dict.fromkeys(
    _COMPARISONS, ("bool",)
)

_SIZED_BY = {
    **dict.fromkeys(("RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "PAD"), (1,)),
    **dict.fromkeys(("PADV2", "MIRROR_PAD", "TILE", "MEAN", "SUM", "EXPAND_DIMS"), (1,)),
    **dict.fromkeys(("REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "BROADCAST_TO"), (1,)),
    **dict.fromkeys(("TRANSPOSE_CONV", "FILL"), (0,)),
    "SLICE": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "RANGE": (0, 1, 2),
}
"""The inputs that decide how large an output is: computed, they make it dynamic."""

_SIZED_BY_VALUES = ("WHERE", "UNIQUE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5")


def refusal(op: OpView) -> str:
    """Return why the delegate leaves an operator to the CPU, whatever its neighbours; else ""."""
    operator = op.operator
    if operator.custom:
        if (other := compiled_by(operator.op)) is not None:
            return f"compiled for another accelerator ({other.name})"
        return "" if operator.op in CUSTOM_OPS else "custom operator"
    rule = RULES.get(operator.op)
    if rule is None:
        return "the GPU delegate has no such operator"
    plain = (*limits.FLOATS, *QUANTIZED)
    for tensor in filter(None, op.inputs):
        if not tensor.data and tensor.dtype not in (*plain, *_ALSO_READ.get(operator.op, ())):
            return f"reads {tensor.dtype}, not float"
        if not tensor.data and len(tensor.shape) > MOST_DIMENSIONS:
            return f"{sizes_text(tensor)} has more than {MOST_DIMENSIONS} dimensions (estimate)"
    for tensor in op.outputs:
        if tensor.dtype not in (*plain, *_ALSO_WRITTEN.get(operator.op, ())):
            return f"writes {tensor.dtype}, not float"
        if len(tensor.shape) > MOST_DIMENSIONS:
            return f"{sizes_text(tensor)} has more than {MOST_DIMENSIONS} dimensions (estimate)"
    return next((reason for limit in rule if (reason := limit(op))), "")


def map_gpu(model: TfliteModel) -> OpMapping:
    """Predict what the GPU delegate takes of a model.

    Returns:
        The mapping; of it one part runs on the GPU, or none.
    """
    graph = model.subgraphs[0] if model.subgraphs else None
    if graph is None:
        return OpMapping(ops=())
    folded = _folded(graph)
    operators = _without(graph, folded)
    views = [view(graph, operator) for operator in operators]
    refusals = ["" if index in folded else refusal(op) for index, op in enumerate(views)]
    kept = [index for index in range(len(operators)) if index not in folded]
    parts = partitions([operators[i] for i in kept], [not refusals[i] for i in kept])
    taken = max(
        ({kept[i] for i in part.operators} for part in parts if part.supported),
        key=len,
        default=set(),
    )
    given_up = _given_up(views, sorted(taken)) if taken else ""
    if given_up:
        taken = set()
    read_by_gpu = {tensor for i in taken for tensor in graph.operators[i].inputs}
    ops = tuple(
        _mapped_op(
            index,
            op,
            refusals[index],
            taken=index in taken
            or (index in folded and not read_by_gpu.isdisjoint(op.operator.outputs)),
            folded=index in folded,
            given_up=given_up,
        )
        for index, op in enumerate(views)
    )
    count = sum(_quantized(views[index]) for index in taken)
    return OpMapping(
        ops=ops,
        partitions=int(bool(taken)),
        remark=f"{count} of them with 8-bit numbers, computed in floating point" if count else "",
    )


def _mapped_op(
    index: int, op: OpView, refused: str, *, taken: bool, folded: bool, given_up: str
) -> MappedOp:
    reason = refused
    if taken:
        reason = f"{SUPPORTED}, computed in float" if _quantized(op) else SUPPORTED
        reason = FOLDED if folded else reason
    elif folded:
        reason = LEFT_WEIGHTS
    elif not refused:
        reason = f"{SUPPORTED}, but {given_up}" if given_up else SMALLER_PART
    return MappedOp(
        index=index,
        op=op.operator.op,
        target="gpu" if taken else "cpu",
        reason=reason,
        supported=not refused,
    )


def _folded(graph: Subgraph) -> set[int]:
    """Return the operators that only turn constant float16 weights into float32."""
    return {
        index
        for index, operator in enumerate(graph.operators)
        if operator.op == "DEQUANTIZE"
        and len(operator.inputs) == 1
        and operator.inputs[0] >= 0
        and graph.tensors[operator.inputs[0]].dtype == "float16"
        and len(graph.tensors[operator.inputs[0]].data)
    }


def _without(graph: Subgraph, folded: set[int]) -> Sequence[Operator]:
    """Return the operators as if they read the float16 weights themselves."""
    source = {
        output: graph.operators[index].inputs[0]
        for index in folded
        for output in graph.operators[index].outputs
    }
    return [
        replace(operator, inputs=tuple(source.get(tensor, tensor) for tensor in operator.inputs))
        for operator in graph.operators
    ]


def _given_up(views: Sequence[OpView], taken: Sequence[int]) -> str:
    """Return what makes the delegate give up as a whole; empty where nothing does."""
    for index, op in enumerate(views):
        sized_by = _SIZED_BY.get(op.operator.op, ())
        dynamic = any((i := op.input(place)) is not None and not i.data for place in sized_by)
        if dynamic or op.operator.op in _SIZED_BY_VALUES:
            return f"the delegate takes no graph of dynamic sizes ({index} {op.operator.op})"
    batch: int | None = None
    for index in taken:
        for tensor in views[index].activations:
            if batch is None and tensor.shape:
                batch = tensor.shape[0]
            elif tensor.shape and tensor.shape[0] != batch:
                name = views[index].operator.op
                return f"the delegate takes no batch that changes ({index} {name})"
    return ""


def _quantized(op: OpView) -> bool:
    return any(tensor.dtype in QUANTIZED for tensor in op.activations)
