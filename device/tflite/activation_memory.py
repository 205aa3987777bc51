"""How much memory a model's activations need at least, operators running in the file's order.

A tensor is alive from the operator that computes it to the last one that reads it: a graph's input
from the start, its output to the end, a variable tensor all the time. While an operator runs, its
inputs and outputs are alive both. Constants do not count: they stay in the file.

A runtime's arena may be larger. It aligns tensors, leaves gaps between them, keeps inputs for
another inference and adds the kernels' scratch buffers; for all of the model's own tensors no arena
can be smaller, unless operators work in place. Strings and handles have no size and count 0, as
does what WHILE and IF call; a dimension that varies, such as the batch, counts as 1. In a model
that vela compiled, the NPU's memory to work in is a tensor as well, and counts in addition to the
tensors that will be in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from edgeinfer.device.tflite.model import OPTIONAL_TENSOR, Subgraph, Tensor, TfliteModel


@dataclass(frozen=True, kw_only=True)
class PeakActivation:
    """Where most memory is in use.

    Attributes:
        size_bytes: the tensors alive at that time, together.
        operator: the index of the first operator during which they are; None in a model that has
            no operators.
    """

    size_bytes: int
    operator: int | None


def peak_activation(model: TfliteModel) -> PeakActivation:
    """Return the largest sum of sizes of tensors that are alive at the same time."""
    graph = model.subgraphs[0]
    sizes = alive_bytes(graph)
    if not sizes:
        ends = {*graph.inputs, *graph.outputs}
        return PeakActivation(
            size_bytes=sum(_size(graph.tensors[index]) for index in ends), operator=None
        )
    largest = max(sizes)
    return PeakActivation(size_bytes=largest, operator=sizes.index(largest))


def alive_bytes(graph: Subgraph) -> list[int]:
    """Return for each operator the bytes of the tensors that are alive while it runs."""
    count = len(graph.operators)
    if not count:
        return []
    first: dict[int, int] = dict.fromkeys(graph.inputs, 0)
    last: dict[int, int] = dict.fromkeys(graph.inputs, 0)
    for number, operator in enumerate(graph.operators):
        for index in (*operator.inputs, *operator.outputs):
            if index != OPTIONAL_TENSOR:
                first.setdefault(index, number)
                last[index] = number
    last.update(dict.fromkeys(graph.outputs, count - 1))
    for index, tensor in enumerate(graph.tensors):
        if tensor.variable:
            first[index], last[index] = 0, count - 1
    # What each operator adds and takes away, rather than a sum over all tensors at each.
    changes = [0] * (count + 1)
    for index, begin in first.items():
        size = _size(graph.tensors[index])
        changes[begin] += size
        changes[last[index] + 1] -= size
    return list(accumulate(changes[:count]))


def _size(tensor: Tensor) -> int:
    """Bytes of what is computed; 0 for a constant."""
    return 0 if len(tensor.data) else tensor.size_bytes or 0
