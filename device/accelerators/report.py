"""A mapping for people and for scripts; the Edge TPU's has more, in its own folder."""

from __future__ import annotations

from edgeinfer.device.accelerators.mapping import DelegateMapping, OpMapping, ops_json
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.errors import printable

NAMES = {"edgetpu": "the Edge TPU", "vx": "the NPU (VX delegate)", "gpu": "the GPU"}

_OP_WIDTH = 24
_SHOWN = 48


def parts_text(count: int) -> str:
    """Return into how many parts a graph is cut, for people."""
    return "1 part" if count == 1 else f"{count} parts"


def delegate_summary(mapping: DelegateMapping, accelerator: str) -> str:
    """Return how much runs on the accelerator, and the first operator that does not."""
    line = f"{mapping.mapped} of {len(mapping.ops)} operators will run on {NAMES[accelerator]}"
    if mapping.mapped:
        line += f", in {parts_text(mapping.partitions)}"
    first = mapping.first_left
    if first is not None:
        line += f"; first left: {first.index} {first.op} ({first.reason})"
    return printable(line)


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


def delegate_lines(mapping: DelegateMapping, accelerator: str) -> list[str]:
    """Return all of it for people."""
    return [
        delegate_summary(mapping, accelerator),
        *([mapping.remark] if mapping.remark else []),
        *table_lines(mapping),
        *(f"remedy: {text}" for text in remedies(mapping)),
        "predicted from the delegate's own checks, not run on the hardware",
    ]


def delegate_json(mapping: DelegateMapping) -> dict[str, object]:
    """Return all of it for scripts."""
    return {
        "mapped": mapping.mapped,
        "total": len(mapping.ops),
        "partitions": mapping.partitions,
        "remark": mapping.remark,
        "remedies": remedies(mapping),
        "ops": ops_json(mapping),
    }
