"""The limits of single operators on the Edge TPU: each a function that gives a reason, or "".

Source: the table "Supported operations" and its column "Known limitations" in Coral's page
"TensorFlow models on the Edge TPU", for runtime 14, which compiler 16 writes for. Where that page
gives no figure, the docstring says where edgeinfer's is from.
"""

from __future__ import annotations

from edgeinfer.device.accelerators.operands import OpView, sizes_text

MOST_SOFTMAX_ELEMENTS = 16_000
MOST_RESIZED_SIDE = 256
MOST_ENLARGEMENT = 16
MOST_TRANSPOSED_ELEMENTS = 128 * 1024


def no_fused_activation(op: OpView) -> str:
    """Pooling and concatenation do not apply an activation function."""
    return (
        "it has a fused activation function" if op.operator.options.get("fused_activation") else ""
    )


def same_dilation(op: OpView) -> str:
    """A kernel is dilated by the same factor in both directions."""
    options = op.operator.options
    width, height = options.get("dilation_width", 1), options.get("dilation_height", 1)
    return "" if width == height else f"its dilation {width} x {height} is not the same in both"


def constant_parameters(op: OpView) -> str:
    """Weights and biases are constants."""
    computed = [item for item in op.inputs[1:] if item and not item.data]
    return "its weights or bias are computed, not constant" if computed else ""


def per_tensor_weights(op: OpView) -> str:
    """A dense layer's weights share one scale (seen with the compiler; not in Coral's table)."""
    weights = op.input(1)
    return f"its weights have {weights.channels} scales" if weights and weights.channels else ""


def default_weights(op: OpView) -> str:
    """A dense layer's weights are in the default order."""
    return "its weights are shuffled" if op.operator.options.get("weights_format") else ""


def one_dimensional_output(op: OpView) -> str:
    """A dense layer answers with one vector."""
    shape = op.outputs[0].shape if op.outputs else ()
    if any(size != 1 for size in shape[:-1]):
        return f"its output {sizes_text(op.outputs[0])} is more than one vector"
    return ""


def zero_constant(op: OpView) -> str:
    """A constant may be joined only to one computed tensor, and only as padding with zeros."""
    for tensor in op.constants:
        zero = tensor.zero_point % 256
        if len(op.inputs) != 2 or any(byte != zero for byte in tensor.data):
            return "it joins a constant that does not pad one tensor with zeros"
    return ""


def vector_softmax(op: OpView) -> str:
    """Softmax is over one vector of at most 16,000 elements."""
    tensor = op.input(0)
    if tensor is None:
        return ""
    if any(size != 1 for size in tensor.shape[:-1]):
        return f"its input {sizes_text(tensor)} is more than one vector"
    if tensor.elements > MOST_SOFTMAX_ELEMENTS:
        return f"{tensor.elements:,} elements are more than {MOST_SOFTMAX_ELEMENTS:,}"
    return ""


def resized(op: OpView) -> str:
    """Enlarging by much, or to much, would lose precision, Coral says without figures.

    These limits are estimates. In the models that we have, 1 x 1 to 33 x 33 and 33 x 33 to 513 x
    513 stayed on the CPU, each in one model; 20 x 20 to 40 x 40 and 40 x 40 to 80 x 80, with 256
    and 128 channels, are mapped, and a resize to the same size is. Users report twice the size as
    mapped up to 128 x 128 and not mapped at 512 x 512 (google-coral/edgetpu issue 31).
    """
    source, target = op.input(0), op.outputs[0] if op.outputs else None
    if op.constant_integers(1) is None:
        return "its size is computed, not constant"
    if source is None or target is None or not len(source.shape) == len(target.shape) == 4:
        return "its tensors are not of rank 4"
    for before, after in zip(source.shape[1:3], target.shape[1:3], strict=True):
        if after > MOST_RESIZED_SIDE:
            return (
                f"it enlarges to {sizes_text(target)}: sides above {MOST_RESIZED_SIDE} (estimate)"
            )
        if after > MOST_ENLARGEMENT * before:
            return f"it enlarges {before} to {after}, above {MOST_ENLARGEMENT} times (estimate)"
    return ""


def moderate_transpose(op: OpView) -> str:
    """A large transpose is not mapped; Coral's table does not say so.

    The figure is an estimate, for which one model speaks: of its transposes from (height, width,
    channels) to (channels, height, width), 20 x 20 x 144 (57,600 elements) is mapped, and 40 x 40 x
    144 (230,400) stayed on the CPU. Reports of users agree, as far as sizes can be concluded from
    them: a detector of 192 pixels and 80 classes, so with 24 x 24 x 144 (82,944), is said to be
    mapped as a whole (google-coral/edgetpu issue 868), and of one of 224 pixels, with 784 x 3 x 85
    (199,920), 196 x 3 x 85 and 49 x 3 x 85, one transpose is not (the README of
    jveitchmichaelis/edgetpu-yolo; its log does not say which). The limit is the power of two
    between.
    """
    tensor = op.input(0)
    if tensor is None or tensor.elements <= MOST_TRANSPOSED_ELEMENTS:
        return ""
    most = f"{MOST_TRANSPOSED_ELEMENTS:,}"
    return f"it transposes {tensor.elements:,} elements, more than {most} (estimate)"


def broadcast(op: OpView) -> str:
    """TILE repeats only sizes of 1, which is a broadcast.

    TILE is not in Coral's table. One model speaks for it, in which 1 x 1 x 1 x 128 to 1 x 33 x 33 x
    128 is mapped; what else the compiler takes is not known, and is said to stay on the CPU.
    """
    tensor, repeats = op.input(0), op.constant_integers(1)
    if tensor is None or repeats is None:
        return "how often it repeats is computed, not constant"
    sizes = zip(tensor.shape, repeats, strict=False)
    if any(size != 1 and count != 1 for size, count in sizes):
        return f"it repeats a size of {sizes_text(tensor)} that is not 1 (estimate)"
    return ""


def _axes(op: OpView) -> list[int] | None:
    """Return the axes that a reduction runs over, from 0; None where they are computed."""
    tensor, axes = op.input(0), op.constant_integers(1)
    if tensor is None or axes is None:
        return None
    rank = len(tensor.shape)
    return sorted(axis % rank if rank else 0 for axis in axes)


def no_batch_reduction(op: OpView) -> str:
    """Reductions keep the batch, which of rank 4 is the first dimension."""
    axes, tensor = _axes(op), op.input(0)
    if axes is None or tensor is None:
        return "its axes are computed, not constant"
    if 0 in axes and len(tensor.shape) > 1:
        return "it reduces the batch"
    return ""


def depth_of_mean(op: OpView) -> str:
    """A mean over the channels takes a multiple of 4 of them."""
    axes, tensor = _axes(op), op.input(0)
    if axes and tensor and len(tensor.shape) > 1:
        depth = tensor.shape[-1]
        if len(tensor.shape) - 1 in axes and depth % 4:
            return f"its mean is over {depth} channels, not a multiple of 4"
    return ""


def no_batch_padding(op: OpView) -> str:
    """Padding leaves the batch as it is."""
    padding, tensor = op.constant_integers(1), op.input(0)
    if padding is None or tensor is None:
        return "its padding is computed, not constant"
    return "it pads the batch" if len(tensor.shape) == 4 and any(padding[:2]) else ""


def no_batch_split(op: OpView) -> str:
    """SPLIT's axis, its first input, is not the batch."""
    axis, tensor = op.constant_integers(0), op.input(1)
    if axis is None or tensor is None:
        return "its axis is computed, not constant"
    rank = len(tensor.shape)
    return "it splits the batch" if rank > 1 and any(a % rank == 0 for a in axis) else ""


def no_batch_pack(op: OpView) -> str:
    """Packing does not make a batch."""
    rank = len(op.outputs[0].shape) if op.outputs else 0
    axis = op.operator.options.get("axis", 0)
    return "it packs a batch" if rank and axis % rank == 0 and op.outputs[0].shape[0] > 1 else ""


def unit_strides(op: OpView) -> str:
    """A slice takes every element, without an ellipsis or a new axis."""
    strides = op.constant_integers(3)
    if strides is None:
        return "its strides are computed, not constant"
    if any(stride != 1 for stride in strides):
        return f"its strides {strides} are not all 1"
    if op.operator.options.get("ellipsis_mask") or op.operator.options.get("new_axis_mask"):
        return "it has an ellipsis or a new axis"
    return ""


def constant_operands(op: OpView) -> str:
    """Shapes, axes and positions, the inputs behind the first, are constants."""
    computed = [item for item in op.inputs[1:] if item and not item.data]
    return "a shape, axis or position is computed, not constant" if computed else ""


def constant_first(op: OpView) -> str:
    """TRANSPOSE_CONV's output shape and weights, its first two inputs, are constants."""
    if any(item and not item.data for item in op.inputs[:2]):
        return "its output shape or weights are computed, not constant"
    return ""


def one_dimensional_alpha(op: OpView) -> str:
    """PReLU has one slope for each channel."""
    alpha = op.input(1)
    if alpha is None or not alpha.data:
        return "its slopes are computed, not constant"
    return "its slopes differ along a side" if any(s != 1 for s in alpha.shape[:-1]) else ""
