"""How TensorFlow Lite cuts a graph into parts for a delegate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeinfer.device.tflite.model import Operator


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A part of a graph that runs as one.

    Attributes:
        supported: the delegate takes it.
        operators: their indices, in the order in which they run.
    """

    supported: bool
    operators: tuple[int, ...]


def partitions(operators: Sequence[Operator], supported: Sequence[bool]) -> list[Partition]:
    """Cut a graph by turns: all of one kind that can run already, then all of the other kind.

    Operators are in an order in which they can run. Those of a graph in which some never can,
    which no runtime would load, are left out.

    Args:
        operators: the graph's.
        supported: for each whether the delegate takes it.

    Source: PartitionGraphIntoIndependentNodeSubsets in tensorflow/lite/graph_info.cc.
    """
    produced = {tensor for operator in operators for tensor in operator.outputs}
    ready = {tensor for operator in operators for tensor in operator.inputs} - produced
    left = list(range(len(operators)))
    parts: list[Partition] = []
    while left:
        part: list[int] = []
        kind: bool | None = None
        # Operators are in an order in which they can run, so that one pass finds all of a part.
        for index in left:
            operator = operators[index]
            if kind not in (None, supported[index]) or not ready.issuperset(operator.inputs):
                continue
            kind = supported[index]
            part.append(index)
            ready.update(operator.outputs)
        if kind is None:
            break
        parts.append(Partition(supported=kind, operators=tuple(part)))
        taken = set(part)
        left = [index for index in left if index not in taken]
    return parts
