"""Operator by operator: accelerator or CPU, and why; what every accelerator's answer has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel

SUPPORTED = "supported"
NOT_COMPILED = "not in the compiled part"


@dataclass(frozen=True, kw_only=True)
class MappedOp:
    """Where one operator runs.

    Attributes:
        index: its place in the model, from 0.
        op: its name, a custom operator's own included.
        target: where it runs: an accelerator's name, or `cpu`.
        reason: why.
        supported: the accelerator could take it by itself.
    """

    index: int
    op: str
    target: str
    reason: str
    supported: bool


@dataclass(frozen=True, kw_only=True)
class OpMapping:
    """What an accelerator takes of a model.

    Attributes:
        ops: every operator of the model, in its order.
        partitions: how many parts of the graph run on the accelerator. Between two parts tensors
            cross to the CPU and back.
        remark: what is to be said of the operators that are taken; may be empty.
        compiled: the model has been through the accelerator's compiler already.
        undecided: what decides how much is taken, where nothing can be predicted; else empty.
    """

    ops: tuple[MappedOp, ...]
    partitions: int = 0
    remark: str = ""
    compiled: bool = False
    undecided: str = ""

    @property
    def mapped(self) -> int:
        """How many operators run on the accelerator."""
        return sum(op.target != "cpu" for op in self.ops)

    @property
    def first_left(self) -> MappedOp | None:
        """The operator to blame: the first that the accelerator does not take by itself."""
        left = [op for op in self.ops if op.target == "cpu"]
        return next((op for op in left if not op.supported), left[0] if left else None)

    @property
    def first_left_text(self) -> str:
        """The same behind other words; empty where nothing is left."""
        first = self.first_left
        return f"; first left: {first.index} {first.op} ({first.reason})" if first else ""

    @property
    def cpu_ops(self) -> Counter[str]:
        """How often each operator stays on the CPU."""
        return Counter(op.op for op in self.ops if op.target == "cpu")


def ops_json(mapping: OpMapping) -> list[dict[str, object]]:
    """Return each operator for scripts."""
    return [
        {"op": op.op, "index": op.index, "target": op.target, "reason": op.reason}
        for op in mapping.ops
    ]


def compiled_ops(
    model: TfliteModel, op: str | None, target: str, *, reason: str, left: str
) -> tuple[MappedOp, ...]:
    """Return where each operator of a model runs as it is: a compiler's own on its accelerator.

    Args:
        model: the model.
        op: the custom operator that the compiler put into it; None for no compiler.
        target: the accelerator.
        reason: why that operator runs there.
        left: why the others do not.
    """
    operators = model.subgraphs[0].operators if model.subgraphs else ()
    return tuple(
        MappedOp(index=index, op=found.op, target=target, reason=reason, supported=True)
        if found.op == op
        else MappedOp(index=index, op=found.op, target="cpu", reason=left, supported=False)
        for index, found in enumerate(operators)
    )
