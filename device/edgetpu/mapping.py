"""Operator by operator: Edge TPU or CPU, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgeinfer.device.edgetpu.memory import ParameterMemory, parameter_memory
from edgeinfer.device.edgetpu.operands import view
from edgeinfer.device.edgetpu.rules import refusal
from edgeinfer.device.tflite_types import EDGETPU_OP, Subgraph, TfliteModel

Target = Literal["edgetpu", "cpu"]

SUPPORTED = "supported"
SECOND_SUBGRAPH = "supported, but a second subgraph"
COMPILED = "compiled for the Edge TPU"
BESIDE_COMPILED = "left beside what is compiled"


@dataclass(frozen=True, kw_only=True)
class MappedOp:
    """Where one operator runs.

    Attributes:
        index: its place in the model, from 0.
        op: its name, a custom operator's own included.
        target: where it runs.
        reason: why.
        supported: the Edge TPU could take it by itself.
    """

    index: int
    op: str
    target: Target
    reason: str
    supported: bool


@dataclass(frozen=True, kw_only=True)
class EdgeTpuMapping:
    """What the Edge TPU takes of a model.

    Attributes:
        ops: every operator of the model, in its order.
        memory: the mapped operators' parameters against the memory on the chip.
        compiled: the model has been through the compiler already.
    """

    ops: tuple[MappedOp, ...]
    memory: ParameterMemory
    compiled: bool

    @property
    def mapped(self) -> int:
        """How many operators run on the Edge TPU."""
        return sum(op.target == "edgetpu" for op in self.ops)

    @property
    def percent(self) -> float:
        """Their share of all, 0 to 100; of a model without operators, 0."""
        return 100 * self.mapped / len(self.ops) if self.ops else 0.0

    @property
    def first_left(self) -> MappedOp | None:
        """The operator to blame: the first that the Edge TPU does not take by itself."""
        left = [op for op in self.ops if op.target == "cpu"]
        return next((op for op in left if not op.supported), left[0] if left else None)

    @property
    def cpu_ops(self) -> Counter[str]:
        """How often each operator stays on the CPU."""
        return Counter(op.op for op in self.ops if op.target == "cpu")

    @property
    def edgetpu_ops(self) -> Counter[str]:
        """How often each operator is mapped."""
        return Counter(op.op for op in self.ops if op.target == "edgetpu")


def map_model(model: TfliteModel) -> EdgeTpuMapping:
    """Predict what the Edge TPU's compiler maps of a model.

    Only the first subgraph is mapped: the others are branches and bodies of control flow, which
    runs on the CPU.
    """
    graph = model.subgraphs[0] if model.subgraphs else None
    if graph is None:
        return EdgeTpuMapping(ops=(), memory=ParameterMemory(bytes=0), compiled=False)
    if EDGETPU_OP in model.custom_ops:
        return EdgeTpuMapping(
            ops=_compiled_ops(graph), memory=ParameterMemory(bytes=0), compiled=True
        )
    refusals = [refusal(view(graph, operator)) for operator in graph.operators]
    mapped = first_partition(graph, [not reason for reason in refusals])
    ops = tuple(
        MappedOp(
            index=index,
            op=operator.op,
            target="edgetpu" if index in mapped else "cpu",
            reason=refusals[index] or (SUPPORTED if index in mapped else SECOND_SUBGRAPH),
            supported=not refusals[index],
        )
        for index, operator in enumerate(graph.operators)
    )
    return EdgeTpuMapping(ops=ops, memory=parameter_memory(graph, mapped), compiled=False)


def first_partition(graph: Subgraph, supported: Sequence[bool]) -> set[int]:
    """Return the operators that one leading subgraph of supported ones holds.

    TensorFlow Lite cuts a graph for a delegate by turns: everything that can run already and is of
    one kind, delegated or not, then everything of the other kind that can run by then. The Edge
    TPU's compiler keeps the first delegated part. So what stands before it, such as the QUANTIZE
    of a float input, may run on the CPU; and of several branches one may go on after another ended.

    Source: PartitionGraphIntoIndependentNodeSubsets in tensorflow/lite/graph_info.cc.
    """
    produced = {tensor for operator in graph.operators for tensor in operator.outputs}
    ready = {tensor for operator in graph.operators for tensor in operator.inputs} - produced
    left = list(range(len(graph.operators)))
    while left:
        part: list[int] = []
        kind: bool | None = None
        # Operators stand in an order in which they can run, so that one pass finds all of a part.
        for index in left:
            operator = graph.operators[index]
            if kind not in (None, supported[index]) or not ready.issuperset(operator.inputs):
                continue
            kind = supported[index]
            part.append(index)
            ready.update(operator.outputs)
        if kind or not part:
            return set(part)
        taken = set(part)
        left = [index for index in left if index not in taken]
    return set()


def _compiled_ops(graph: Subgraph) -> tuple[MappedOp, ...]:
    return tuple(
        MappedOp(
            index=index,
            op=operator.op,
            target="edgetpu" if operator.op == EDGETPU_OP else "cpu",
            reason=COMPILED if operator.op == EDGETPU_OP else BESIDE_COMPILED,
            supported=operator.op == EDGETPU_OP,
        )
        for index, operator in enumerate(graph.operators)
    )
