"""Bytes that a `.tflite` file keeps outside its FlatBuffer: offset and size replace them.

The schema has this for weights and custom options of models above 2 GB, where FlatBuffers end;
ai-edge-quantizer does it with all buffers of 1 KiB or more where they take 256 KiB together. As the
runtimes read it, so does edgeinfer: what lies inside goes first, however little; an offset of 0 or
1 stands for nothing (converters write 1 as a place to fill in later); the bytes may lie anywhere in
the file, over one another and over the FlatBuffer. Beyond the file they may not: runtimes add
offset and size in 64 bits, and of a sum that overflows ai-edge-litert reads other memory.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError, Table

MODEL_SUBGRAPHS, MODEL_BUFFERS = 2, 4
_GRAPH_OPERATORS = 3
# Inside, offset and size, of tables Buffer and Operator (its custom options).
BUFFER_FIELDS = (0, 1, 2)
OPTIONS_FIELDS = (5, 9, 10)

_FIRST_OFFSET = 2
_MOST_ALIGNMENT = 4
"""What a FlatBuffer gives bytes at least, and what 32-bit ARM cannot do without."""


class Placed(NamedTuple):
    """Bytes of a file.

    Attributes:
        data: the bytes, not copied.
        offset: where they begin; 0 where they lie inside, or nowhere.
    """

    data: memoryview
    offset: int


def placed(table: Table, fields: tuple[int, int, int]) -> Placed:
    """Return the bytes of a buffer, or the custom options of an operator.

    Args:
        table: the buffer or the operator.
        fields: `BUFFER_FIELDS` or `OPTIONS_FIELDS`.

    Raises:
        FlatbufferError: they lie outside the file.
    """
    inside, offset_field, size_field = fields
    if table.has(inside):
        return Placed(table.raw(inside), 0)
    offset = table.integer(offset_field, "Q")
    if offset < _FIRST_OFFSET:
        return Placed(memoryview(b""), 0)
    return Placed(table.raw_at(offset, table.integer(size_field, "Q")), offset)


def check_alignment(one: Placed, element_bits: int | None, *, subject: str) -> None:
    """Refuse elements that begin where a processor may not read one.

    Args:
        one: a tensor's bytes.
        element_bits: of one element; None where they vary.
        subject: the tensor, for errors.

    Raises:
        FlatbufferError: they do.
    """
    alignment = max(1, min((element_bits or 32) // 8, _MOST_ALIGNMENT))
    if one.offset % alignment:
        raise FlatbufferError(
            f"{subject}: its bytes begin at {one.offset}, which is not aligned to {alignment}"
        )


def require_apart(model: bytes, places: Sequence[tuple[int, int]], *, subject: str) -> None:
    """Refuse to change numbers of a file at places where its weights lie as well.

    Args:
        model: the file's bytes.
        places: where numbers are about to be changed, and how many bytes each has.
        subject: its name, for errors.

    Raises:
        ModelError: its weights, or custom options, are there.
    """
    root = FlatBuffer(model).root()
    found = [placed(table, BUFFER_FIELDS) for table in root.tables(MODEL_BUFFERS)]
    found += [placed(table, OPTIONS_FIELDS) for table in operator_tables(root)]
    spans = sorted((one.offset, len(one.data)) for one in found if one.offset and len(one.data))
    firsts = [first for first, _ in spans]
    # Spans may overlap: how far those reach that begin up to each.
    reach = list(itertools.accumulate((first + size for first, size in spans), max))
    for place, size in places:
        before = bisect.bisect_left(firsts, place + size)
        if before and reach[before - 1] > place:
            raise ModelError(
                subject, got="its weights overlap its tables", expected="separate places"
            )


def operator_tables(root: Table) -> list[Table]:
    """Return the operators of all graphs."""
    graphs = root.tables(MODEL_SUBGRAPHS)
    return [table for graph in graphs for table in graph.tables(_GRAPH_OPERATORS)]
