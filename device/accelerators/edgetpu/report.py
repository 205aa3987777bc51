"""A mapping for people and for scripts."""

from __future__ import annotations

from edgeinfer.device.accelerators.edgetpu.mapping import EdgeTpuMapping
from edgeinfer.device.accelerators.mapping import ops_json
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.accelerators.report import table_lines, wrapped
from edgeinfer.device.core.errors import printable


def summary_line(mapping: EdgeTpuMapping) -> str:
    """Return how much is mapped, and the operator that ends it."""
    verb = "are" if mapping.compiled else "will be"
    line = f"{mapping.mapped} of {len(mapping.ops)} operators {verb} mapped to the Edge TPU"
    first = mapping.first_left
    if first is None or mapping.compiled:
        return line
    return printable(f"{line}; first left: {first.index} {first.op} ({first.reason})")


def mapping_lines(mapping: EdgeTpuMapping) -> list[str]:
    """Return all of it for people."""
    lines = [*wrapped(summary_line(mapping)), *table_lines(mapping)]
    if not mapping.compiled:
        lines += wrapped(f"parameters: {mapping.memory.text()}")
        lines += [line for text in remedies(mapping) for line in wrapped(f"remedy: {text}")]
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
