"""The options of operators that decide what an accelerator can do with them.

Source: the tables `...Options` of the TensorFlow Lite schema (schema.fbs, version 3); field numbers
are the order of the fields in them.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.flatbuffer import Kind, Table


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where an operator's options lie: the union's number, and (field, type, default) by name."""

    union: int
    fields: dict[str, tuple[int, Kind, int]]


_POOL = _Layout(union=5, fields={"fused_activation": (5, "b", 0)})
_LAYOUTS: dict[str, _Layout] = {
    "CONV_2D": _Layout(
        union=1, fields={"dilation_width": (4, "i", 1), "dilation_height": (5, "i", 1)}
    ),
    "DEPTHWISE_CONV_2D": _Layout(
        union=2, fields={"dilation_width": (5, "i", 1), "dilation_height": (6, "i", 1)}
    ),
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "FULLY_CONNECTED": _Layout(union=8, fields={"weights_format": (1, "b", 0)}),
    "CONCATENATION": _Layout(union=10, fields={"fused_activation": (1, "b", 0)}),
    "PACK": _Layout(union=59, fields={"axis": (1, "i", 0)}),
    "STRIDED_SLICE": _Layout(
        union=32, fields={"ellipsis_mask": (2, "i", 0), "new_axis_mask": (3, "i", 0)}
    ),
}


def read_options(op: str, union: int, table: Table | None) -> dict[str, int]:
    """Return the options of one operator that are of interest here, by name; defaults included.

    Args:
        op: the operator.
        union: which options the file says it has.
        table: those options, or None.

    Raises:
        FlatbufferError: a field lies outside its table.
    """
    layout = _LAYOUTS.get(op)
    if layout is None:
        return {}
    if table is None or union != layout.union:
        return {name: default for name, (_, _, default) in layout.fields.items()}
    return {
        name: table.integer(field, kind, default)
        for name, (field, kind, default) in layout.fields.items()
    }
