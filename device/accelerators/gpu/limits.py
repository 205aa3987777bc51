"""The limits of single operators in the GPU delegate: each a function that gives a reason, or "".

Source: CheckGpuDelegateCompatibility in tensorflow/lite/tools/versioning/gpu_compatibility.cc,
which the delegate asks for every operator. Inputs are counted as it does: computed or constant.
"""

from __future__ import annotations

from edgeinfer.device.accelerators.operands import Limit, OpView, sizes_text

FLOATS = ("float16", "float32")
_SIGN_BIT = 5
"""The one fused activation that the delegate does not have."""
_ONE_BITS = 0x3F800000
"""1.0 as a float32."""


def _computed(op: OpView) -> int:
    return sum(item is not None and not item.data for item in op.inputs)


def operands(computed: int, constant: int | None = None) -> Limit:
    """Return the limit that an operator has this many inputs, and one output.

    Args:
        computed: how many of them are computed.
        constant: how many are constant; None for any number.
    """

    def limit(op: OpView) -> str:
        found = _computed(op)
        if found != computed:
            return f"{found} of its inputs are computed, not {computed}"
        if constant is not None and len(op.constants) != constant:
            return f"{len(op.constants)} of its inputs are constant, not {constant}"
        return "" if len(op.outputs) == 1 else f"it has {len(op.outputs)} outputs"

    return limit


def one_or_two(op: OpView) -> str:
    """Two operands, of which one may be constant; neither left out."""
    fits = (_computed(op), len(op.constants)) in ((2, 0), (1, 1))
    if not fits or len(op.outputs) != 1:
        return "it has other operands than two, one of them computed"
    return activation(op)


def two_inputs(op: OpView) -> str:
    """An addition or a matrix product has two inputs and one output."""
    return "" if len(op.inputs) == 2 and len(op.outputs) == 1 else "it does not have two inputs"


def activation(op: OpView) -> str:
    """Every activation function can be fused but the sign bit."""
    found = op.operator.options.get("fused_activation", 0)
    return "it has the fused activation SIGN_BIT" if found == _SIGN_BIT else ""


def broadcast(op: OpView) -> str:
    """Shapes of different rank agree from the last dimension on, or are 1."""
    left, right = op.input(0), op.input(1)
    if left is None or right is None or min(len(left.shape), len(right.shape)) <= 1:
        return ""
    if len(left.shape) == len(right.shape):
        return ""
    pairs = zip(reversed(left.shape), reversed(right.shape), strict=False)
    if all(a == b or 1 in (a, b) for a, b in pairs):
        return ""
    return f"it broadcasts {sizes_text(left)} and {sizes_text(right)}"


def one_covers_the_other(op: OpView) -> str:
    """Of two factors of one rank, one is at least as large in every dimension."""
    left, right = op.input(0), op.input(1)
    if left is None or right is None or len(left.shape) != len(right.shape):
        return broadcast(op)
    smaller = any(a < b for a, b in zip(left.shape, right.shape, strict=True))
    larger = any(a > b for a, b in zip(left.shape, right.shape, strict=True))
    if smaller and larger:
        return f"{sizes_text(left)} and {sizes_text(right)}: neither covers the other"
    return ""


def convolution(op: OpView) -> str:
    """Data, and weights that may be computed; one output."""
    if _computed(op) > 2 or len(op.outputs) != 1:
        return "more than its data and weights are computed"
    return activation(op)


def depthwise(op: OpView) -> str:
    """The multiplier is that of the shapes, and 1 unless there is one channel."""
    data, weights = op.input(0), op.input(1)
    if data is None or weights is None or not op.outputs:
        return ""
    output = op.outputs[0]
    if not len(data.shape) == len(weights.shape) == len(output.shape) == 4:
        return "its tensors are not of rank 4"
    multiplier = op.operator.options.get("depth_multiplier") or output.shape[3] // max(
        1, data.shape[3]
    )
    if weights.shape[3] != output.shape[3] or output.shape[3] != data.shape[3] * multiplier:
        return f"its channels {data.shape[3]} and {output.shape[3]} do not fit its multiplier"
    if multiplier != 1 and data.shape[3] != 1:
        return f"its multiplier is {multiplier} for {data.shape[3]} channels"
    return ""


def dense(op: OpView) -> str:
    """Weights in the default order, computed data, and a rank that stays if it should."""
    options, data = op.operator.options, op.input(0)
    if options.get("weights_format"):
        return "its weights are shuffled"
    if _computed(op) > 2 or (data is not None and data.data):
        return "its data is constant, or more than its data and weights are computed"
    ranks = {len(tensor.shape) for tensor in (data, *op.outputs) if tensor}
    if options.get("keep_num_dims") and len(ranks) > 1:
        return "it changes the rank, which it should keep"
    return ""


def casts(op: OpView) -> str:
    """Between float and bool, and between float32 and int32."""
    if (reason := operands(1)(op)) or op.inputs[0] is None:
        return reason
    pair = (op.inputs[0].dtype, op.outputs[0].dtype)
    wide = {*pair} <= {"float32", "int32"}
    if wide or ("bool" in pair and any(dtype in FLOATS for dtype in pair)):
        return ""
    return f"it turns {pair[0]} into {pair[1]}"


def blocks(op: OpView) -> str:
    """Space and depth are exchanged in blocks of 2 or more."""
    if reason := operands(1)(op):
        return reason
    size = op.operator.options.get("block_size", 2)
    return "" if size > 1 else f"its block size is {size}"


def no_int16(op: OpView) -> str:
    """int16 is not turned into float."""
    source = op.input(0)
    return "it reads int16" if source and source.dtype == "int16" else operands(1)(op)


def gathers(op: OpView) -> str:
    """By int32 indices in one dimension, but not from int32."""
    values, indices = op.input(0), op.input(1)
    if reason := one_or_two(op):
        return reason
    if values and values.dtype == "int32":
        return "it gathers int32"
    if indices and (len(indices.shape) != 1 or indices.dtype != "int32"):
        return f"its indices are {indices.dtype} of rank {len(indices.shape)}"
    return ""


def constant_axes(op: OpView) -> str:
    """Reductions and running sums have constant int32 axes."""
    axes = op.input(1)
    if axes is None or not axes.data or axes.dtype != "int32":
        return "its axes are not constant int32"
    return operands(1)(op)


def rank_3_or_4(op: OpView) -> str:
    """Slices are of rank 3 or 4."""
    source = op.input(0)
    if source is not None and len(source.shape) not in (3, 4):
        return f"it slices rank {len(source.shape)}, not 3 or 4"
    return ""


def plain_slice(op: OpView) -> str:
    """Without an ellipsis, a new axis or one that is dropped."""
    options = op.operator.options
    if options.get("ellipsis_mask") or options.get("new_axis_mask"):
        return "it has an ellipsis or a new axis"
    return "it drops an axis" if options.get("shrink_axis_mask") else rank_3_or_4(op)


def plain_softmax(op: OpView) -> str:
    """Its beta is 1."""
    one = op.operator.options.get("beta_bits", _ONE_BITS) == _ONE_BITS
    return "" if one else "its beta is not 1"


def padding(op: OpView) -> str:
    """Two numbers for each of 3 or 4 dimensions."""
    amounts = op.input(1)
    if amounts is not None and amounts.shape not in ((3, 2), (4, 2)):
        return f"its padding is {sizes_text(amounts)}, not 3 or 4 x 2"
    if op.operator.op == "MIRROR_PAD" and op.operator.options.get("mode", 0) != 0:
        return "it mirrors with the border"
    return operands(1)(op)


def one_kind_of_corners(op: OpView) -> str:
    """Corners are aligned, or centres are at halves, not both."""
    options = op.operator.options
    if options.get("align_corners") and options.get("half_pixel_centers"):
        return "it aligns corners and centres both"
    return operands(1)(op)


def long_memory(op: OpView) -> str:
    """The full kernel has 20 or 24 inputs, the basic one 3 computed and 2 constant."""
    if op.operator.options.get("kernel_type", 0) == 0:
        many = len(op.inputs)
        return "" if many in (20, 24) else f"it has {many} inputs, not 20 or 24"
    fits = _computed(op) == 3 and len(op.constants) == 2 and len(op.outputs) == 4
    return "" if fits else "it is not a basic LSTM"


def float_choice(op: OpView) -> str:
    """Float values of the output's shape, or scalars, by a float or bool condition."""
    if len(op.inputs) != 3 or len(op.outputs) != 1:
        return "it does not have three inputs"
    for tensor in filter(None, op.inputs[1:]):
        if tensor.dtype not in FLOATS:
            return f"it chooses among {tensor.dtype}"
        if tensor.shape != op.outputs[0].shape and tensor.elements > 1:
            return f"{sizes_text(tensor)} is not its output's shape"
    return ""


def one_hot(op: OpView) -> str:
    """int32 indices, and constant float32 scalars for on and off."""
    indices, values = op.input(0), op.inputs[2:4]
    if indices is not None and indices.dtype != "int32":
        return f"its indices are {indices.dtype}"
    fits = all(v and v.data and v.dtype == "float32" and v.elements == 1 for v in values)
    return "" if fits and len(values) == 2 else "its values are not constant float32 scalars"


def updates(op: OpView) -> str:
    """A part is written over at constant or computed int32 positions, the batch being 1."""
    whole, part, positions = (op.input(place) for place in range(3))
    if whole is None or part is None or positions is None:
        return "it does not have three inputs"
    if len(whole.shape) == 4 and whole.shape[0] != 1:
        return f"the batch of {sizes_text(whole)} is not 1"
    if len(whole.shape) != len(part.shape) or whole.dtype != part.dtype:
        return "what it writes is not of the same type and rank"
    fits = positions.dtype == "int32" and len(positions.shape) == 1
    return "" if fits else "its positions are not an int32 vector"


def looks_up(op: OpView) -> str:
    """Rows of a table of int8, int4 or float32, by a vector of indices."""
    indices, table = op.input(0), op.input(1)
    if indices is None or table is None or len(op.inputs) != 2 or len(op.outputs) != 1:
        return "it does not have two inputs"
    if len(indices.shape) != 1 or len(table.shape) < 2:
        return "its indices are not a vector, or its table is one"
    return "" if table.dtype in ("int8", "int4", "float32") else f"its table is {table.dtype}"
