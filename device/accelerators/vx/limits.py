"""The limits of single operators in the VX delegate: each a function that gives a reason, or "".

Source: the checks `IsOpSupported` of each mapper in op_map.cc of NXP's public fork of the delegate
(nxp-imx/tflite-vx-delegate-imx), which decide what goes to the NPU as a model is loaded.
"""

from __future__ import annotations

from edgeinfer.device.accelerators.operands import OpView, sizes_text
from edgeinfer.device.tflite.model import Tensor

EIGHT_BITS = ("int8", "uint8")
FLOATS = ("float16", "float32")


def _dtypes(op: OpView) -> tuple[str, str]:
    """Return what the first input and the first output hold; empty where there is none."""
    source = op.input(0)
    return source.dtype if source else "", op.outputs[0].dtype if op.outputs else ""


def _computed(op: OpView, *places: int) -> bool:
    return any((item := op.input(place)) is not None and not item.data for place in places)


def _unscaled(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype in EIGHT_BITS and tensor.quantization is None


def same_types(op: OpView) -> str:
    """Data and weights are of one type: 8-bit weights with float activations are left."""
    data, weights = op.input(0), op.input(1)
    if data and weights and data.dtype != weights.dtype:
        return f"{weights.dtype} weights with {data.dtype} activations"
    return ""


def batch_of_groups(op: OpView) -> str:
    """A convolution in groups takes a batch of 1."""
    data, weights = op.input(0), op.input(1)
    if data is None or weights is None or not len(data.shape) == len(weights.shape) == 4:
        return ""
    grouped = data.shape[3] != weights.shape[3]
    return f"groups with a batch of {data.shape[0]}" if grouped and data.shape[0] != 1 else ""


def no_dilation_3d(op: OpView) -> str:
    """A convolution over three dimensions is not dilated and has constant weights."""
    if any(op.operator.options.get(f"dilation_{side}", 1) > 1 for side in _SIDES):
        return "it is dilated"
    return "its weights are computed, not constant" if _computed(op, 1) else ""


_SIDES = ("depth", "width", "height")


def dense(op: OpView) -> str:
    """A dense layer's weights are in the default order, and nothing is int16."""
    if op.operator.options.get("weights_format"):
        return "its weights are shuffled"
    return "it reads int16" if any(i.dtype == "int16" for i in op.inputs if i) else ""


def dequantizes(op: OpView) -> str:
    """Scaled 16-bit numbers and numbers with several scales are not turned into float."""
    tensor = op.input(0)
    if tensor is None or tensor.quantization is None or _dtypes(op)[1] != "float32":
        return ""
    if tensor.dtype in ("int16", "float16"):
        return f"it turns {tensor.dtype} into float32"
    return "it reads per-channel numbers" if tensor.channels else ""


def quantizes(op: OpView) -> str:
    """Integers are not made narrower, and several scales are not written."""
    source, target = _dtypes(op)
    tensor = op.input(0)
    scaled = tensor is not None and tensor.quantization is not None
    if scaled and source in ("int16", "int32") and target in EIGHT_BITS:
        return f"it turns {source} into {target}"
    if scaled and source == "int16" and target == "int32":
        return "it turns int16 into int32"
    per_channel = bool(op.outputs) and op.outputs[0].channels > 0
    return "it writes per-channel numbers" if source == "float32" and per_channel else ""


def arithmetic(op: OpView) -> str:
    """int16 is not made 8 bits wide; whole numbers are not clipped to -1 and 1."""
    source, target = _dtypes(op)
    if source == "int16" and target in EIGHT_BITS:
        return f"it turns int16 into {target}"
    clipped = op.operator.options.get("fused_activation") == _RELU_N1_TO_1
    return "int32 with a fused RELU_N1_TO_1" if clipped and source == target == "int32" else ""


_RELU_N1_TO_1 = 2


def no_whole_powers(op: OpView) -> str:
    """Powers are not of whole numbers."""
    kinds = {item.dtype for item in op.inputs if item}
    return "powers of int32" if kinds == {"int32"} else ""


def known_shape(op: OpView) -> str:
    """The output's shape is known before the model runs, and it is not a scalar."""
    if _computed(op, *([0] if op.operator.op == "TRANSPOSE_CONV" else range(1, len(op.inputs)))):
        return "its shape is computed, not constant"
    return "its output is a scalar" if op.outputs and not op.outputs[0].shape else ""


def constant_slice(op: OpView) -> str:
    """Where a slice begins, ends and steps is constant, and no axis is new."""
    if _computed(op, 1, 2, 3):
        return "its positions are computed, not constant"
    if op.operator.options.get("ellipsis_mask") or op.operator.options.get("new_axis_mask"):
        return "it has an ellipsis or a new axis"
    return ""


def whole_batch(op: OpView) -> str:
    """A slice of rank 4 or more keeps the batch."""
    if _computed(op, 1, 2):
        return "its positions are computed, not constant"
    source = op.input(0)
    if source is None or not op.outputs or len(source.shape) <= 3 or not op.outputs[0].shape:
        return ""
    return "it slices the batch" if source.shape[0] != op.outputs[0].shape[0] else ""


def constant_operand(op: OpView) -> str:
    """The axis, or what else the second input is, is constant."""
    return "its axis or size is computed, not constant" if _computed(op, 1) else ""


def scaled(op: OpView) -> str:
    """8-bit numbers have a scale."""
    return "8-bit numbers without a scale" if any(map(_unscaled, op.inputs)) else ""


def no_whole_numbers(op: OpView) -> str:
    """Depth and space are not exchanged of int32."""
    return "it reads int32" if any(i.dtype == "int32" for i in op.inputs if i) else ""


def matrix_product(op: OpView) -> str:
    """Not int8, not int32 as a result, and not both factors transposed."""
    if _dtypes(op)[1] == "int32":
        return "it writes int32"
    if any(item.dtype == "int8" for item in op.inputs[:2] if item):
        return "it multiplies matrices of int8"
    options = op.operator.options
    return "both factors are transposed" if options.get("adj_x") and options.get("adj_y") else ""


def space_and_batch(op: OpView) -> str:
    """Space becomes batch, or batch space, in two dimensions of rank 4."""
    source, block = op.input(0), op.input(1)
    if source is None or len(source.shape) != 4:
        return "its input is not of rank 4"
    return "its blocks are not of 2 dimensions" if block and block.shape[:1] != (2,) else ""


def selection(op: OpView) -> str:
    """The condition has the values' rank; values are not bool and not 8 bits wide."""
    condition, values = op.input(0), op.input(1)
    if condition and values and len(condition.shape) != len(values.shape):
        return f"{sizes_text(condition)} chooses among {sizes_text(values)}"
    kinds = {tensor.dtype for tensor in (*op.inputs[1:], *op.outputs) if tensor}
    wrong = sorted(kinds & {"bool", *EIGHT_BITS})
    return f"it chooses among {wrong[0]}" if wrong else ""


def packed(op: OpView) -> str:
    """int32 and 8-bit vectors are not packed."""
    tensor = op.input(0)
    if tensor is None:
        return ""
    if tensor.dtype == "int32":
        return "it packs int32"
    if len(tensor.shape) == 1 and tensor.dtype in EIGHT_BITS:
        return "it packs 8-bit vectors"
    return ""


def one_hot(op: OpView) -> str:
    """The depth is constant and the result is not bool."""
    return "it writes bool" if _dtypes(op)[1] == "bool" else constant_operand(op)


def largest_index(op: OpView) -> str:
    """Of int8, the index is not int32; of a scalar there is none."""
    if _dtypes(op) == ("int8", "int32"):
        return "of int8 into int32"
    source = op.input(0)
    scalar = (source is not None and not source.shape) or (op.outputs and not op.outputs[0].shape)
    return "its input or output is a scalar" if scalar else ""


def sequence(op: OpView) -> str:
    """Of an LSTM, the input is 8 bits wide, its state int16 or float16, its answers of one type."""
    source, target = _dtypes(op)
    if source not in EIGHT_BITS:
        return f"it reads {source}, not int8 or uint8"
    answers, state = op.input(_LSTM_ANSWERS), op.input(_LSTM_STATE)
    if answers is not None and answers.dtype != target:
        return f"it remembers {answers.dtype} and writes {target}"
    if state is not None and state.dtype not in ("int16", "float16"):
        return f"its state is {state.dtype}, not int16 or float16"
    return ""


_LSTM_ANSWERS, _LSTM_STATE = 18, 19
"""Where an LSTM's inputs hold what it remembers (kernels/lstm_shared.h)."""
