"""Operator by operator: Edge TPU or CPU, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeinfer.device.accelerators.edgetpu.memory import ParameterMemory, parameter_memory
from edgeinfer.device.accelerators.edgetpu.rules import refusal
from edgeinfer.device.accelerators.mapping import (
    NOT_COMPILED,
    SUPPORTED,
    MappedOp,
    OpMapping,
    compiled_ops,
)
from edgeinfer.device.accelerators.operands import view
from edgeinfer.device.accelerators.partitions import partitions
from edgeinfer.device.tflite.compiled_ops import EDGETPU_OP
from edgeinfer.device.tflite.model import Subgraph, TfliteModel

SECOND_SUBGRAPH = "supported, but a second subgraph"
COMPILED = "compiled for the Edge TPU"


@dataclass(frozen=True, kw_only=True)
class EdgeTpuMapping(OpMapping):
    """What the Edge TPU takes of a model.

    Attributes:
        memory: the mapped operators' parameters against the memory on the chip.
    """

    memory: ParameterMemory = field(default_factory=ParameterMemory)


def map_model(model: TfliteModel) -> EdgeTpuMapping:
    """Predict what the Edge TPU's compiler maps of a model.

    Only the first subgraph is mapped: the others are branches and bodies of control flow, which
    runs on the CPU.
    """
    graph = model.subgraphs[0] if model.subgraphs else None
    if graph is None:
        return EdgeTpuMapping(ops=())
    if EDGETPU_OP in model.custom_ops:
        ops = compiled_ops(model, EDGETPU_OP, "edgetpu", reason=COMPILED, left=NOT_COMPILED)
        found = any(op.supported for op in ops)
        return EdgeTpuMapping(ops=ops, partitions=int(found), compiled=True)
    refusals = [refusal(view(graph, operator)) for operator in graph.operators]
    mapped = _first_partition(graph, [not reason for reason in refusals])
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
    # The compiler makes one part.
    return EdgeTpuMapping(
        ops=ops, partitions=int(bool(mapped)), memory=parameter_memory(graph, mapped)
    )


def _first_partition(graph: Subgraph, supported: Sequence[bool]) -> set[int]:
    """Return the operators that one leading subgraph of supported ones holds.

    The Edge TPU's compiler keeps the first delegated part. So what comes before it, such as the
    QUANTIZE of a float input, may run on the CPU; and of several branches one may go on after
    another ended.
    """
    parts = partitions(graph.operators, supported)
    return next((set(part.operators) for part in parts if part.supported), set())
