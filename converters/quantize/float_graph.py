"""A float `.tflite` whose weights can be changed, for equalization and bias correction.

ai-edge-litert reads and writes the format; operators that share constants get a copy each before
one of them changes.
"""

from __future__ import annotations

import copy
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tflite.model import OPTIONAL_TENSOR, Operator, Subgraph
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside

Floats = NDArray[np.float32]

CHANNEL_AXES = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Operators with weights and a bias, and the axis of their weights that holds the outputs."""

NO_ACTIVATION, RELU, RELU6 = 0, 1, 3
"""Of the schema's enum ActivationFunctionType."""

_DATA, _WEIGHTS, _BIAS = 0, 1, 2
_SUBJECT = "the float model"


class FloatGraph:
    """The first graph of a float model.

    Operators and tensors are named by their indices, as in `graph`.

    Args:
        content: the `.tflite` bytes.

    Raises:
        ModelError: they are damaged, or the weights do not fit into the FlatBuffer.
    """

    def __init__(self, content: bytes) -> None:
        self.graph: Subgraph = read_tflite(content, subject=_SUBJECT).subgraphs[0]
        self._tools: Any = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
        inside = with_buffers_inside(content, subject=_SUBJECT)
        self._model: Any = self._tools.read_model_from_bytearray(bytearray(inside))

    @property
    def weighted(self) -> list[int]:
        """The operators whose weights are float constants, in the order in which they run."""
        return [index for index, op in enumerate(self.graph.operators) if self._is_weighted(op)]

    def result(self, operator: int) -> str:
        """Return the name of what an operator computes."""
        return self.graph.tensors[self.graph.operators[operator].outputs[0]].name

    def weights(self, operator: int) -> Floats:
        """Return an operator's weights."""
        return self._values(operator, _WEIGHTS)

    def set_weights(self, operator: int, values: Floats) -> None:
        """Give an operator other weights of the same shape."""
        self._set(operator, _WEIGHTS, values)

    def bias(self, operator: int) -> Floats:
        """Return an operator's bias, (output channels,); zeros where it has none."""
        if self._bias_index(operator) != OPTIONAL_TENSOR:
            return self._values(operator, _BIAS)
        return np.zeros(self._outputs(operator), np.float32)

    def set_bias(self, operator: int, values: Floats) -> None:
        """Give an operator another bias, (output channels,), or one where it has none."""
        if self._bias_index(operator) == OPTIONAL_TENSOR:
            self._add_bias(operator)
        self._set(operator, _BIAS, values)

    def takes_bias(self, operator: int) -> bool:
        """Return whether an operator's bias may be set: it has none yet, or float constants."""
        index = self.graph.operators[operator].inputs[_BIAS:]
        if not index or index[0] == OPTIONAL_TENSOR:
            return True
        bias = self.graph.tensors[index[0]]
        return bias.dtype == "float32" and len(bias.data) > 0

    def reads_every_channel(self, operator: int) -> bool:
        """Return whether an operator's weights have an input for each channel of what it reads."""
        op = self.graph.operators[operator]
        channels = self.graph.tensors[op.inputs[_DATA]].shape[-1]
        last = self.graph.tensors[op.inputs[_WEIGHTS]].shape[-1]
        if op.op == "DEPTHWISE_CONV_2D":
            return last % channels == 0
        return last == channels

    def activation(self, operator: int) -> int:
        """Return the activation that is fused into an operator."""
        options = self._operator(operator).builtinOptions
        return int(getattr(options, "fusedActivationFunction", NO_ACTIVATION))

    def set_activation(self, operator: int, activation: int) -> None:
        """Fuse another activation into an operator that can have one."""
        self._operator(operator).builtinOptions.fusedActivationFunction = activation

    def to_bytes(self) -> bytes:
        """Return the changed `.tflite` bytes."""
        return bytes(self._tools.convert_object_to_bytearray(self._model))

    def _is_weighted(self, operator: Operator) -> bool:
        if operator.op not in CHANNEL_AXES or len(operator.inputs) <= _WEIGHTS:
            return False
        weights = self.graph.tensors[operator.inputs[_WEIGHTS]]
        return weights.dtype == "float32" and len(weights.data) > 0 and not weights.sparse

    def _outputs(self, operator: int) -> int:
        weights = self.graph.tensors[self.graph.operators[operator].inputs[_WEIGHTS]]
        return weights.shape[CHANNEL_AXES[self.graph.operators[operator].op]]

    def _operator(self, operator: int) -> Any:
        return self._model.subgraphs[0].operators[operator]

    def _values(self, operator: int, position: int) -> Floats:
        subgraph = self._model.subgraphs[0]
        tensor = subgraph.tensors[subgraph.operators[operator].inputs[position]]
        data = bytes(self._model.buffers[tensor.buffer].data)
        return np.frombuffer(data, np.float32).reshape(tensor.shape).copy()

    def _set(self, operator: int, position: int, values: Floats) -> None:
        subgraph = self._model.subgraphs[0]
        inputs = subgraph.operators[operator].inputs
        index = self._own(inputs, position)
        tensor = subgraph.tensors[index]
        if tuple(values.shape) != tuple(tensor.shape):
            raise ValueError(f"shape is {values.shape}, expected {tuple(tensor.shape)}")
        raw = np.ascontiguousarray(values, np.float32).view(np.uint8).reshape(-1)
        self._model.buffers[tensor.buffer].data = raw

    def _bias_index(self, operator: int) -> int:
        inputs = self._operator(operator).inputs
        return int(inputs[_BIAS]) if len(inputs) > _BIAS else OPTIONAL_TENSOR

    def _add_bias(self, operator: int) -> None:
        subgraph, inputs = self._model.subgraphs[0], self._operator(operator).inputs
        weights = subgraph.tensors[int(inputs[_WEIGHTS])]
        bias = copy.copy(weights)
        bias.name = f"{self.result(operator)}_bias".encode()
        bias.shape, bias.shapeSignature = [self._outputs(operator)], None
        self._model.buffers.append(type(self._model.buffers[0])())
        bias.buffer = len(self._model.buffers) - 1
        self._model.buffers[bias.buffer].data = np.zeros(4 * bias.shape[0], np.uint8)
        subgraph.tensors.append(bias)
        kept = [int(index) for index in inputs[:_BIAS]]
        self._operator(operator).inputs = [*kept, len(subgraph.tensors) - 1]

    def _own(self, inputs: Any, position: int) -> int:
        """Return the tensor at a position, copied for this operator with its own buffer."""
        subgraph, index = self._model.subgraphs[0], int(inputs[position])
        readers = sum(list(op.inputs).count(index) for op in subgraph.operators)
        if readers > 1:
            subgraph.tensors.append(copy.copy(subgraph.tensors[index]))
            index = len(subgraph.tensors) - 1
            tensor = subgraph.tensors[index]
            tensor.name = f"{bytes(tensor.name or b'').decode()}_{index}".encode()
            inputs[position] = index
        tensor = subgraph.tensors[index]
        sharing = sum(
            other.buffer == tensor.buffer
            for graph in self._model.subgraphs
            for other in graph.tensors
        )
        if sharing > 1:
            self._model.buffers.append(type(self._model.buffers[0])())
            tensor.buffer = len(self._model.buffers) - 1
        return index
