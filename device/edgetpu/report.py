"""A mapping for people and for scripts."""

from __future__ import annotations

from edgeinfer.device.accelerators.mapping import OpMapping, ops_json
from edgeinfer.device.edgetpu.mapping import EdgeTpuMapping
from edgeinfer.device.edgetpu.remedies import remedies
from edgeinfer.device.errors import printable

_OP_WIDTH = 24
_SHOWN = 48


def summary_line(mapping: EdgeTpuMapping) -> str:
    """Return how much is mapped, and the operator that ends it."""
    verb = "are" if mapping.compiled else "will be"
    line = f"{mapping.mapped} of {len(mapping.ops)} operators {verb} mapped to the Edge TPU"
    first = mapping.first_left
    if first is None or mapping.compiled:
        return line
    return printable(f"{line}; first left: {first.index} {first.op} ({first.reason})")


def table_lines(mapping: OpMapping) -> list[str]:
    """Return one line for each operator, aligned; runs of alike ones are one line."""
    lines = [f"{'index':>9}  {'operator':{_OP_WIDTH}}  {'target':7}  why"]
    start = 0
    for index, op in enumerate(mapping.ops):
        following = mapping.ops[index + 1] if index + 1 < len(mapping.ops) else None
        alike = following is not None and (following.op, following.target, following.reason) == (
            op.op,
            op.target,
            op.reason,
        )
        if alike:
            continue
        span = f"{index}" if start == index else f"{start}-{index}"
        name = op.op if len(op.op) <= _SHOWN else op.op[:_SHOWN] + "..."
        lines.append(printable(f"{span:>9}  {name:{_OP_WIDTH}}  {op.target:7}  {op.reason}"))
        start = index + 1
    return lines


def mapping_lines(mapping: EdgeTpuMapping) -> list[str]:
    """Return all of it for people."""
    lines = [summary_line(mapping), *table_lines(mapping)]
    if not mapping.compiled:
        lines.append(f"parameters: {mapping.memory.text()}")
        lines += [f"remedy: {text}" for text in remedies(mapping)]
        lines.append("predicted from the documented rules; edgetpu_compiler has the last word")
    return lines


def mapping_json(mapping: EdgeTpuMapping) -> dict[str, object]:
    """Return all of it for scripts."""
    return {
        "mapped": mapping.mapped,
        "total": len(mapping.ops),
        "compiled": mapping.compiled,
        "parameter_bytes": mapping.memory.bytes,
        "streamed_bytes": mapping.memory.streamed_bytes,
        "remedies": remedies(mapping),
        "ops": ops_json(mapping),
    }
