"""A mapping for people and for scripts; the Edge TPU's has more, in its own folder."""

from __future__ import annotations

import textwrap

from edgeinfer.device.accelerators.mapping import DelegateMapping, OpMapping, ops_json
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.core.errors import printable

NAMES = {"edgetpu": "the Edge TPU", "vx": "the NPU (VX delegate)", "gpu": "the GPU"}

WIDTH = 80
"""Columns of a terminal."""

_OP_WIDTH = 24
_WHY_COLUMN = 9 + 2 + _OP_WIDTH + 2 + 7 + 2
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
    """Return one row for each operator, aligned; runs of alike ones are one row."""
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
        row = printable(f"{span:>9}  {name:{_OP_WIDTH}}  {op.target:7}  {op.reason}")
        lines += wrapped(row, " " * _WHY_COLUMN)
        start = index + 1
    return lines


def wrapped(line: str, indent: str = "  ") -> list[str]:
    """Return a line as several of at most `WIDTH` columns, the later ones indented.

    A word that is longer than that, such as a path, stays whole.
    """
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def delegate_lines(mapping: DelegateMapping, accelerator: str) -> list[str]:
    """Return all of it for people."""
    return [
        *wrapped(delegate_summary(mapping, accelerator)),
        *([mapping.remark] if mapping.remark else []),
        *table_lines(mapping),
        *(line for text in remedies(mapping) for line in wrapped(f"remedy: {text}")),
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
