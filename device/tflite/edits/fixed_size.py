"""Inputs whose size is open: a copy of a `.tflite` file that states one, and bounds for it.

A runtime works out the sizes of all other tensors from that of the input as it loads the file; so
the copy runs like the file after a `resize_tensor_input`, in every runtime and with every delegate.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.model import Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_outside import MODEL_SUBGRAPHS, require_apart

_GRAPH_TENSORS = 0
_TENSOR_SHAPE, _TENSOR_SIGNATURE = 0, 7


def with_input_shape(model: bytes, shape: tuple[int, ...], *, subject: str) -> bytes:
    """Return the model with its one input of this shape, which varies no longer.

    Args:
        model: the file's bytes.
        shape: as many axes as the input has.
        subject: the file's name, for errors.

    Raises:
        ModelError: it is not a model, or the shape cannot be changed alone: the file shares it
            between tensors, or weights lie over it.
        ValueError: the input has another number of axes.
    """
    before = read_tflite(model, subject=subject)
    graph = before.subgraphs[0]
    (number,) = graph.inputs
    if len(shape) != len(graph.tensors[number].shape):
        raise ValueError(f"shape is {shape}, expected {len(graph.tensors[number].shape)} axes")
    table = FlatBuffer(model).root().tables(MODEL_SUBGRAPHS)[0].tables(_GRAPH_TENSORS)[number]
    size = 4 * len(shape)
    fields = (_TENSOR_SHAPE, _TENSOR_SIGNATURE)
    found = [table.offset_place(field) for field in fields]
    # Behind the length of the list.
    places = [place[1] + 4 for place in found if place is not None]
    require_apart(model, [(place, size) for place in places], subject=subject)
    changed = bytearray(model)
    for place in places:
        struct.pack_into(f"<{len(shape)}i", changed, place, *shape)
    fixed = bytes(changed)
    if _with_shape(before, number, shape) != read_tflite(fixed, subject=subject):
        raise ModelError(
            subject,
            got="shares the shape of its input with other tensors",
            expected="a separate shape: its size cannot be fixed",
            next_step="export the model with the size that it is to have",
        )
    return fixed


def _with_shape(model: TfliteModel, number: int, shape: tuple[int, ...]) -> TfliteModel:
    graph = model.subgraphs[0]
    tensor = graph.tensors[number]
    signature = shape if tensor.shape_signature else ()
    fixed = replace(tensor, shape=shape, shape_signature=signature)
    tensors = (*graph.tensors[:number], fixed, *graph.tensors[number + 1 :])
    return replace(model, subgraphs=(replace(graph, tensors=tensors), *model.subgraphs[1:]))


def with_bounds(model: TfliteModel) -> TfliteModel:
    """Return the model with sizes that no tensor of varying size exceeds, if it only shrinks.

    A file states 1 for each size that varies. Here two such sizes of a tensor are the two largest
    of the input, and one by itself is their product. The batch, which is the first axis, stays 1.
    """
    graph = model.subgraphs[0]
    sides = sorted(
        (size for index in graph.inputs for size in graph.tensors[index].shape), reverse=True
    )[:2]
    if len(sides) < 2 or not any(_varies(tensor) for tensor in graph.tensors):
        return model
    bounded = tuple(_bounded(tensor, (sides[0], sides[1])) for tensor in graph.tensors)
    return replace(model, subgraphs=(replace(graph, tensors=bounded), *model.subgraphs[1:]))


def _varies(tensor: Tensor) -> bool:
    return -1 in tensor.shape_signature[1:] and len(tensor.shape_signature) == len(tensor.shape)


def _bounded(tensor: Tensor, sides: tuple[int, int]) -> Tensor:
    if not _varies(tensor) or len(tensor.data):
        return tensor
    signature = tensor.shape_signature
    open_axes = [axis for axis in range(1, len(signature)) if signature[axis] < 0]
    sizes = [sides[0] * sides[1]] if len(open_axes) == 1 else [*sides, *[1] * len(open_axes)]
    shape = list(tensor.shape)
    for axis, size in zip(open_axes, sizes, strict=False):
        shape[axis] = max(size, shape[axis])
    return replace(tensor, shape=tuple(shape))
