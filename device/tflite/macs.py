"""How many multiply-accumulates (MACs) an inference takes: a measure of work, not of time.

One MAC is one product added to a sum. Counted are the products that the operator's definition has,
those with padding included; a bias, an activation and requantization are none:

- CONV_2D: output elements x kernel height x kernel width x input channels of a group
- DEPTHWISE_CONV_2D: output elements x kernel height x kernel width
- TRANSPOSE_CONV: input elements x kernel height x kernel width x output channels
- FULLY_CONNECTED: output elements x inputs of a unit
- BATCH_MATMUL: output elements x length of the dimension that is summed over

Everything else counts 0: additions and pooling multiply nothing, and what a custom operator does
the file does not say. Recurrent operators and CONV_3D, which image models do not have, count 0
too, as does what WHILE and IF call. A dimension that varies, such as the batch, counts as 1.

Sources: Howard et al. 2017, arXiv:1704.04861 (Mult-Adds of convolutions, with which MobileNet's
figures are given); the shapes of operands: TensorFlow Lite's kernels of the same names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from edgeinfer.device.tflite.model import OPTIONAL_TENSOR, Operator, Subgraph, Tensor, TfliteModel


def model_macs(model: TfliteModel) -> int:
    """Return the MACs of one inference."""
    graph = model.subgraphs[0]
    return sum(operator_macs(graph, operator) for operator in graph.operators)


def macs_by_operator(model: TfliteModel) -> dict[tuple[str, int], int]:
    """Return the MACs of each (operator, version) that has any."""
    graph = model.subgraphs[0]
    totals: Counter[tuple[str, int]] = Counter()
    for operator in graph.operators:
        totals[operator.op, operator.version] += operator_macs(graph, operator)
    return {key: macs for key, macs in totals.items() if macs}


def operator_macs(graph: Subgraph, operator: Operator) -> int:
    """Return the MACs of one operator; 0 for a kind that is not counted.

    Operands whose shapes do not fit the operator count 0 as well: a runtime refuses them.
    """
    count = None if operator.custom else _COUNTS.get(operator.op)
    if count is None or not operator.outputs:
        return 0
    inputs = [graph.tensors[index] for index in operator.inputs if index != OPTIONAL_TENSOR]
    output = graph.tensors[operator.outputs[0]]
    # Only what has a size in bytes has been checked to have a size within the limit.
    if any(tensor.size_bytes is None for tensor in (*inputs, output)):
        return 0
    return count(inputs, output)


def _convolution(inputs: list[Tensor], output: Tensor) -> int:
    """Inputs: image, filters (output channels, height, width, input channels of a group)."""
    filters = _shape(inputs, 1, rank=4)
    return output.elements * filters[1] * filters[2] * filters[3]


def _depthwise(inputs: list[Tensor], output: Tensor) -> int:
    """Inputs: image, filters (1, height, width, output channels)."""
    filters = _shape(inputs, 1, rank=4)
    return output.elements * filters[1] * filters[2]


def _transposed(inputs: list[Tensor], output: Tensor) -> int:
    """Inputs: output shape, filters (output channels, height, width, input channels), image."""
    filters = _shape(inputs, 1, rank=4)
    image = inputs[2].elements if len(inputs) > 2 else 0
    return image * filters[0] * filters[1] * filters[2]


def _fully_connected(inputs: list[Tensor], output: Tensor) -> int:
    """Inputs: data, weights (units, inputs of a unit)."""
    return output.elements * _shape(inputs, 1, rank=2)[1]


def _matrix_product(inputs: list[Tensor], output: Tensor) -> int:
    """Inputs: (..., rows, summed), or (..., summed, rows) where the first is transposed."""
    shape = inputs[0].shape if inputs else ()
    if len(shape) < 2 or len(output.shape) < 2 or not output.shape[-2]:
        return 0
    # One of the two is the output's rows; the other one is left.
    return output.elements * (shape[-1] * shape[-2] // output.shape[-2])


def _shape(tensors: list[Tensor], index: int, *, rank: int) -> tuple[int, ...]:
    """Return a tensor's shape; zeros where there is none of that rank."""
    shape = tensors[index].shape if index < len(tensors) else ()
    return shape if len(shape) == rank else (0,) * rank


_COUNTS: dict[str, Callable[[list[Tensor], Tensor], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrix_product,
}
