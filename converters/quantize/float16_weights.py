"""Float16 weights back to float32, so that they can be quantized like any others."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside


def with_float32_weights(content: bytes, *, subject: str) -> bytes:
    """Return a model whose float16 constants are float32 constants.

    Converters store float16 weights as constants with an operator DEQUANTIZE behind each. A
    quantizer takes their results for activations, and gives them the scale of one.

    Args:
        content: the `.tflite` bytes.
        subject: the model's name, for errors.

    Returns:
        The same bytes for a model without such constants.

    Raises:
        ModelError: it is damaged.
    """
    graph = read_tflite(content, subject=subject).subgraphs[0]
    widened = [
        index
        for index, op in enumerate(graph.operators)
        if op.op == "DEQUANTIZE"
        and graph.tensors[op.inputs[0]].dtype == "float16"
        and len(graph.tensors[op.inputs[0]].data)
    ]
    if not widened:
        return content
    tools: Any = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    model = tools.read_model_from_bytearray(
        bytearray(with_buffers_inside(content, subject=subject))
    )
    main = model.subgraphs[0]
    sources = []
    for index in widened:
        operator = main.operators[index]
        sources.append(int(operator.inputs[0]))
        halves = bytes(model.buffers[main.tensors[sources[-1]].buffer].data)
        model.buffers.append(type(model.buffers[0])())
        model.buffers[-1].data = np.frombuffer(halves, np.float16).astype(np.float32).view(np.uint8)
        main.tensors[int(operator.outputs[0])].buffer = len(model.buffers) - 1
    for index in reversed(widened):
        del main.operators[index]
    _empty_unused(model, sources)
    for buffer in model.buffers:
        # Numpy arrays are packed as a whole, all else byte by byte.
        if buffer.data is not None:
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    return bytes(tools.convert_object_to_bytearray(model))


def _empty_unused(model: Any, tensors: Sequence[int]) -> None:
    """Empty the buffers of tensors of the main graph that nothing reads any more."""
    main, *others = model.subgraphs
    read = {int(number) for operator in main.operators for number in operator.inputs}
    read.update(map(int, main.outputs))
    idle = {number for number in tensors if number not in read}
    used = {one.buffer for number, one in enumerate(main.tensors) if number not in idle}
    used.update(one.buffer for graph in others for one in graph.tensors)
    for number in idle:
        if main.tensors[number].buffer not in used:
            model.buffers[main.tensors[number].buffer].data = None
