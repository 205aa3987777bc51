"""Checks on a model that was read: every index in range, every constant as large as its shape.

They cover what ends a runtime's process, or makes it ask for absurd memory, and nothing that an
odd but working model may do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from edgeinfer.device.tflite.compiled_ops import ETHOS_U_OP
from edgeinfer.device.tflite.flatbuffer import FlatbufferError
from edgeinfer.device.tflite.model import OPTIONAL_TENSOR, Operator, Subgraph, Tensor, TfliteModel
from edgeinfer.device.tflite.safety.dataflow import tensors_from_data
from edgeinfer.device.tflite.safety.operators import check_operator
from edgeinfer.device.tflite.safety.subgraphs import check_calls

MAX_TENSOR_BYTES = 2**31
"""Largest dense tensor: FlatBuffers end there, and no edge board holds one."""

_SMALLEST_SCALE = 2.0**-126
"""Below it are only denormal numbers, on which the kernels' fixed-point arithmetic aborts."""

_FIRST_OPTIONAL = 2
"""Only biases and similar inputs, behind the data and the weights, may be left out ..."""

_RECURRENT_OPS = frozenset(
    {
        "LSTM",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "SVDF",
    }
)
"""... but for these, which leave out weights too."""


_ETHOS_U_SCRATCH = slice(2, 4)
"""Of the NPU's operator, behind commands and weights: memory to work in, which nobody writes."""


def check_model(model: TfliteModel) -> None:
    """Refuse a model that a runtime must not be handed.

    Raises:
        FlatbufferError: naming the tensor, operator or signature that is wrong.
    """
    if not model.subgraphs:
        raise FlatbufferError("it has no graph")
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            _check_tensor(tensor)
        _check_wiring(subgraph)
    check_calls(model)
    for number, from_data in enumerate(tensors_from_data(model)):
        _check_operators(model.subgraphs[number], from_data, is_main=number == 0)
    for signature in model.signatures:
        if signature.subgraph >= len(model.subgraphs):
            raise FlatbufferError(
                f"signature '{signature.name}': graph {signature.subgraph} is none of "
                f"{len(model.subgraphs)}"
            )
        _check_indices(
            model.subgraphs[signature.subgraph],
            (index for _, index in (*signature.inputs, *signature.outputs)),
            f"signature '{signature.name}'",
        )


def _check_tensor(tensor: Tensor) -> None:
    subject = f"tensor '{tensor.name}'"
    if min(tensor.shape, default=0) < 0 or min(tensor.shape_signature, default=0) < -1:
        raise FlatbufferError(f"{subject}: a size in its shape is negative")
    needed = tensor.size_bytes
    if needed is not None and needed > MAX_TENSOR_BYTES:
        raise FlatbufferError(f"{subject}: it takes {needed} bytes, more than 2 GiB")
    if len(tensor.data) and needed is not None and not tensor.sparse and len(tensor.data) < needed:
        raise FlatbufferError(
            f"{subject}: {tensor.dtype} of shape {tensor.shape} takes {needed} bytes, "
            f"but its buffer has {len(tensor.data)}"
        )
    _check_quantization(tensor, subject)


def _check_quantization(tensor: Tensor, subject: str) -> None:
    quantization = tensor.quantization
    if quantization is None:
        return
    scales = len(quantization.scales)
    if len(quantization.zero_points) != scales:
        raise FlatbufferError(
            f"{subject}: it has {scales} scales and {len(quantization.zero_points)} zero points"
        )
    # One scale a channel makes thousands; a sum shows a NaN, which is not above and not below.
    total = sum(quantization.scales)
    usual = min(quantization.scales) >= _SMALLEST_SCALE and total < math.inf
    for scale in () if usual else quantization.scales:
        if not (scale == 0 or _SMALLEST_SCALE <= scale < math.inf):
            raise FlatbufferError(f"{subject}: its scale is {scale}")
    if scales > 1:
        axis = quantization.axis
        size = tensor.shape[axis] if 0 <= axis < len(tensor.shape) else None
        if size != scales:
            raise FlatbufferError(
                f"{subject}: it has {scales} scales along axis {axis} of shape {tensor.shape}"
            )


def _check_wiring(subgraph: Subgraph) -> None:
    """Refuse operators that read what nobody wrote, or write over something."""
    _check_indices(subgraph, (*subgraph.inputs, *subgraph.outputs), "the graph's ends")
    for index in subgraph.inputs:
        if len(subgraph.tensors[index].data):
            raise FlatbufferError(f"the graph's input, tensor {index}, is a constant")
    known = set(subgraph.inputs) | {
        index
        for index, tensor in enumerate(subgraph.tensors)
        if len(tensor.data) or tensor.variable or tensor.elements == 0
    }
    written = set(subgraph.inputs)
    for number, operator in enumerate(subgraph.operators):
        subject = f"operator {number} ({operator.op})"
        used = [index for index in operator.inputs if index != OPTIONAL_TENSOR]
        inner = [index for index in operator.intermediates if index != OPTIONAL_TENSOR]
        _check_indices(subgraph, (*used, *inner, *operator.outputs), subject)
        required = () if operator.custom or operator.op in _RECURRENT_OPS else operator.inputs
        if OPTIONAL_TENSOR in required[:_FIRST_OPTIONAL]:
            raise FlatbufferError(f"{subject}: its data or weights are left out")
        scratch = operator.inputs[_ETHOS_U_SCRATCH] if _is_ethos_u(operator) else ()
        for index in used:
            if index not in known and index not in scratch:
                raise FlatbufferError(f"{subject}: nothing computes its input, tensor {index}")
        for index in operator.outputs:
            if len(subgraph.tensors[index].data):
                raise FlatbufferError(f"{subject}: its output, tensor {index}, is a constant")
            # The kernel would give a new size to what another operator was prepared for.
            if index in written or subgraph.tensors[index].variable:
                raise FlatbufferError(f"{subject}: its output, tensor {index}, is written already")
            written.add(index)
        if operator.op == "CONV_2D" and len(used) > 1:
            _check_groups(subgraph.tensors[used[0]], subgraph.tensors[used[1]], subject)
        if operator.op == "DEPTHWISE_CONV_2D" and len(used) > 1:
            _check_depth(operator, subgraph, subject)
        known.update(operator.outputs)
    for index in subgraph.outputs:
        if index not in known:
            raise FlatbufferError(f"nothing computes the graph's output, tensor {index}")


def _check_operators(subgraph: Subgraph, from_data: set[int], *, is_main: bool) -> None:
    """Refuse operators that fit no kernel.

    Args:
        subgraph: the graph.
        from_data: its tensors that depend on what the model is fed.
        is_main: whether it is the model's own, whose inputs have the shapes of the file.
    """
    unknown = set() if is_main else set(subgraph.inputs)
    for number, operator in enumerate(subgraph.operators):
        unknown.update(operator.outputs)
        subject = f"operator {number} ({operator.op})"
        check_operator(subgraph, operator, unknown=unknown, from_data=from_data, subject=subject)


def _is_ethos_u(operator: Operator) -> bool:
    return operator.custom and operator.op == ETHOS_U_OP


def _check_groups(image: Tensor, filters: Tensor, subject: str) -> None:
    """Refuse a convolution whose channels do not divide into groups: its kernel divides by 0.

    Args:
        image: the input, (batch, height, width, channels).
        filters: (output channels, height, width, channels of a group).
        subject: the operator.
    """
    # Runtimes refuse other ranks themselves, and fit what varies only once it is known.
    if len(image.shape) != 4 or len(filters.shape) != 4 or image.shape_signature[3:] == (-1,):
        return
    channels, outputs, depth = image.shape[3], filters.shape[0], filters.shape[3]
    if depth < 1 or channels % depth or outputs % max(channels // depth, 1):
        raise FlatbufferError(
            f"{subject}: filters of shape {filters.shape} do not fit {channels} input channels"
        )


def _check_depth(operator: Operator, subgraph: Subgraph, subject: str) -> None:
    """Refuse a depthwise convolution whose option says more channels than its filters have."""
    image, filters = (subgraph.tensors[index] for index in operator.inputs[:2])
    if len(image.shape) != 4 or len(filters.shape) != 4 or image.shape_signature[3:] == (-1,):
        return
    channels, outputs = image.shape[3], filters.shape[3]
    # Files from before 2018 leave the option out; kernels then divide for themselves.
    multiplier = operator.options.get("depth_multiplier", 0) or outputs // max(channels, 1)
    if filters.shape[0] != 1 or channels * multiplier != outputs:
        raise FlatbufferError(
            f"{subject}: filters of shape {filters.shape} do not fit {channels} input channels "
            f"times {multiplier}"
        )


def _check_indices(subgraph: Subgraph, indices: Iterable[int], subject: str) -> None:
    for index in indices:
        if not 0 <= index < len(subgraph.tensors):
            raise FlatbufferError(f"{subject}: tensor {index} is none of {len(subgraph.tensors)}")
