"""The options of operators that decide what an accelerator can do with them.

Source: the tables `...Options` of the TensorFlow Lite schema (schema.fbs, version 3); field numbers
are the order of the fields in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeinfer.device.tflite.flatbuffer import FlatbufferError, Kind, Table


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where an operator's options are: the union's number, and (field, type, default) by name."""

    union: int
    fields: Mapping[str, tuple[int, Kind, int]]


_POOL = _Layout(union=5, fields={"fused_activation": (5, "b", 0)})
_FUSED: Mapping[str, tuple[int, Kind, int]] = {"fused_activation": (0, "b", 0)}
_LAYOUTS: dict[str, _Layout] = {
    "ADD": _Layout(union=11, fields=_FUSED),
    "AVERAGE_POOL_2D": _POOL,
    "BATCH_MATMUL": _Layout(union=101, fields={"adj_x": (0, "?", 0), "adj_y": (1, "?", 0)}),
    "CALL_ONCE": _Layout(union=103, fields={"init_graph": (0, "i", 0)}),
    "CONCATENATION": _Layout(union=10, fields={"fused_activation": (1, "b", 0)}),
    "CONV_2D": _Layout(
        union=1, fields={"dilation_width": (4, "i", 1), "dilation_height": (5, "i", 1)}
    ),
    "CONV_3D": _Layout(
        union=106,
        fields={
            "dilation_depth": (5, "i", 1),
            "dilation_width": (6, "i", 1),
            "dilation_height": (7, "i", 1),
        },
    ),
    "DEPTHWISE_CONV_2D": _Layout(
        union=2,
        fields={
            "depth_multiplier": (3, "i", 0),
            "dilation_width": (5, "i", 1),
            "dilation_height": (6, "i", 1),
        },
    ),
    "DEPTH_TO_SPACE": _Layout(union=94, fields={"block_size": (0, "i", 0)}),
    "DIV": _Layout(union=29, fields=_FUSED),
    "FULLY_CONNECTED": _Layout(
        union=8, fields={"weights_format": (1, "b", 0), "keep_num_dims": (2, "?", 0)}
    ),
    "IF": _Layout(union=92, fields={"then_graph": (0, "i", 0), "else_graph": (1, "i", 0)}),
    "LSTM": _Layout(union=14, fields={"kernel_type": (3, "b", 0)}),
    "MAX_POOL_2D": _POOL,
    "MIRROR_PAD": _Layout(union=77, fields={"mode": (0, "b", 0)}),
    "MUL": _Layout(union=21, fields=_FUSED),
    "PACK": _Layout(union=59, fields={"axis": (1, "i", 0)}),
    "RESIZE_BILINEAR": _Layout(
        union=15, fields={"align_corners": (2, "?", 0), "half_pixel_centers": (3, "?", 0)}
    ),
    # A float32, whose bits are read as an integer: options are whole numbers.
    "SOFTMAX": _Layout(union=9, fields={"beta_bits": (0, "I", 0)}),
    "SPACE_TO_DEPTH": _Layout(union=19, fields={"block_size": (0, "i", 0)}),
    "STRIDED_SLICE": _Layout(
        union=32,
        fields={
            "ellipsis_mask": (2, "i", 0),
            "new_axis_mask": (3, "i", 0),
            "shrink_axis_mask": (4, "i", 0),
        },
    ),
    "SUB": _Layout(union=28, fields=_FUSED),
    "WHILE": _Layout(union=93, fields={"cond_graph": (0, "i", 0), "body_graph": (1, "i", 0)}),
}
# The second union of options, which later operators have instead of the first.
_LATER_LAYOUTS: dict[str, _Layout] = {
    "STABLEHLO_COMPOSITE": _Layout(union=21, fields={"decomposition_graph": (1, "i", 0)}),
}
LATER_UNIONS: dict[str, int] = {
    "DILATE": 18,
    "REDUCE_WINDOW": 20,
    "STABLEHLO_CASE": 23,
    "STABLEHLO_COMPOSITE": 21,
    "STABLEHLO_GATHER": 16,
    "STABLEHLO_PAD": 10,
    "STABLEHLO_REDUCE_WINDOW": 13,
    "STABLEHLO_RNG_BIT_GENERATOR": 19,
    "STABLEHLO_SCATTER": 7,
    "STABLEHLO_SHIFT_LEFT": 22,
}
"""Operators whose kernels read options of the second union without asking if there are any."""


def read_options(op: str, union: int, table: Table | None) -> dict[str, int]:
    """Return the options of one operator that are of interest here, by name; defaults included.

    Args:
        op: the operator.
        union: which options the file says it has.
        table: those options, or None.

    Raises:
        FlatbufferError: a field lies outside its table.
    """
    return _read(_LAYOUTS.get(op), union, table)


def read_later_options(op: str, union: int, table: Table | None) -> dict[str, int]:
    """Return the options of one operator out of the second union; as `read_options`.

    Raises:
        FlatbufferError: a field lies outside its table, or the options that the kernel needs are
            not there.
    """
    if op in LATER_UNIONS and (table is None or union != LATER_UNIONS[op]):
        raise FlatbufferError(f"{op} has no options of its kind")
    return _read(_LATER_LAYOUTS.get(op), union, table)


def _read(layout: _Layout | None, union: int, table: Table | None) -> dict[str, int]:
    if layout is None:
        return {}
    if table is None or union != layout.union:
        return {name: default for name, (_, _, default) in layout.fields.items()}
    return {
        name: table.integer(field, kind, default)
        for name, (field, kind, default) in layout.fields.items()
    }
