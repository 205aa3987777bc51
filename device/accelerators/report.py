"""A mapping for people: what every accelerator's answer is made of."""

from __future__ import annotations

from edgeinfer.device.accelerators.mapping import OpMapping
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.text.wrapping import COLUMNS, wrap

WIDTH = COLUMNS

_OP_WIDTH = 24
_WHY_COLUMN = 9 + 2 + _OP_WIDTH + 2 + 7 + 2
_SHOWN = 48


def table_lines(mapping: OpMapping) -> list[str]:
    """Return one row for each operator, aligned; equal ones in a row are one row."""
    lines = [f"{'index':>9}  {'operator':{_OP_WIDTH}}  {'target':7}  why"]
    start = 0
    for index, op in enumerate(mapping.ops):
        following = mapping.ops[index + 1] if index + 1 < len(mapping.ops) else None
        same = following is not None and (following.op, following.target, following.reason) == (
            op.op,
            op.target,
            op.reason,
        )
        if same:
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
    return wrap(line, WIDTH, indent)


def remedy_lines(mapping: OpMapping) -> list[str]:
    """Return what a model's author can do about what stays on the CPU."""
    return [line for text in remedies(mapping) for line in wrapped(f"what helps: {text}")]
