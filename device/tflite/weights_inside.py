"""Models as programs want them that know of no bytes outside a FlatBuffer; see `tflite_outside`.

No FlatBuffer writer is needed: a buffer's bytes are appended with a new table before them, and the
list of buffers leads there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import replace

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import TFLITE_IDENTIFIER
from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError, Table
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_outside import (
    BUFFER_FIELDS,
    MODEL_BUFFERS,
    OPTIONS_FIELDS,
    Placed,
    operator_tables,
    placed,
    require_apart,
)

_DATA_ALIGNMENT = 16
"""What the schema requires of bytes inside."""
_SPARE_BYTES = 32
"""What a table and its alignment take at most."""
_MOST_BYTES = 2**31 - 1
"""The longest FlatBuffer."""


def with_buffers_inside(model: bytes, *, subject: str) -> bytes:
    """Return a model whose buffers are all in the FlatBuffer; the same bytes where they do.

    For programs that read no others, or read them otherwise than the runtimes do. What lay outside
    stays in the copy too, where nothing refers to it any more. A file that is not a model stays as
    it
    is: the code that reads it next reports that.

    Args:
        model: a file's bytes.
        subject: its name, for errors.

    Raises:
        ModelError: it is damaged; or its weights overlap its tables, or one another so that
            inside they would take more than the file has, or would make a FlatBuffer of 2 GiB; or
            options of a custom operator lie outside; or its tables share what has to be changed.
    """
    if FlatBuffer(model).identifier() != TFLITE_IDENTIFIER:
        return model
    try:
        moving, blank = _to_change(FlatBuffer(model).root(), subject)
    except FlatbufferError as error:
        raise ModelError(subject, got=f"is a damaged TensorFlow Lite model: {error}") from error
    if not moving and not blank:
        return model
    numbers = [*((place, 4) for place, _ in moving), *((place, 8) for place in blank)]
    require_apart(model, numbers, subject=subject)
    _check_total([one for _, one in moving], len(model), subject)
    inside = _changed(model, moving, blank)
    if _structure(inside, subject) != _structure(model, subject):
        raise ModelError(
            subject, got="shares numbers between its tables", expected="separate numbers"
        )
    return inside


def _to_change(root: Table, subject: str) -> tuple[list[tuple[int, Placed]], list[int]]:
    """Return what has to be changed in a model.

    Returns:
        For each buffer outside, where the number stands that leads to its table, and its bytes; and
        where offsets stand that mean nothing, which not every reader knows.
    """
    buffers, operators = root.tables(MODEL_BUFFERS), operator_tables(root)
    if any(placed(table, OPTIONS_FIELDS).offset for table in operators):
        raise ModelError(
            subject,
            got="keeps options of a custom operator outside of its FlatBuffer",
            expected="all options in it, to convert or compile the model",
        )
    found = [placed(table, BUFFER_FIELDS) for table in buffers]
    moving = zip(root.table_places(MODEL_BUFFERS), found, strict=True)
    kept = (table for table, one in zip(buffers, found, strict=True) if not one.offset)
    blank = [_offset_place(table, BUFFER_FIELDS) for table in kept]
    blank += [_offset_place(table, OPTIONS_FIELDS) for table in operators]
    return [(place, one) for place, one in moving if one.offset], [
        place for place in blank if place
    ]


def _changed(model: bytes, moving: list[tuple[int, Placed]], blank: list[int]) -> bytes:
    changed = bytearray(model)
    for place in blank:
        struct.pack_into("<Q", changed, place, 0)
    moved: dict[tuple[int, int], int] = {}
    for place, one in moving:
        span = (one.offset, len(one.data))
        if span not in moved:
            moved[span] = _append_buffer(changed, one.data)
        struct.pack_into("<I", changed, place, moved[span] - place)
    return bytes(changed)


def _structure(model: bytes, subject: str) -> tuple[object, ...]:
    """Return all that is in a model but for its weights, of which there is the length."""
    read = read_tflite(model, subject=subject)
    tensors = [tensor for graph in read.subgraphs for tensor in graph.tensors]
    return (
        [replace(graph, tensors=()) for graph in read.subgraphs],
        [(replace(tensor, data=memoryview(b"")), len(tensor.data)) for tensor in tensors],
        [(item.name, len(item.data)) for item in read.metadata],
        (read.operator_codes, read.signatures, read.description),
    )


def _offset_place(table: Table, fields: tuple[int, int, int]) -> int:
    """Return where an offset lies that is not 0, else 0."""
    field = fields[1]
    return (table.number_place(field, "Q") or 0) if table.integer(field, "Q") else 0


def _check_total(found: Iterable[Placed], file_bytes: int, subject: str) -> None:
    """Refuse weights that would take far more inside than they do now."""
    spans = {(one.offset, len(one.data)) for one in found}
    total = sum(size for _, size in spans)
    if total > file_bytes or file_bytes + total + _SPARE_BYTES * len(spans) > _MOST_BYTES:
        raise ModelError(
            subject,
            got=f"its weights would take {total:,} bytes in its FlatBuffer",
            expected=f"at most the {file_bytes:,} of the file, and 2 GiB together",
        )


def _append_buffer(changed: bytearray, data: memoryview) -> int:
    """Append a table Buffer that has its bytes inside, and return where it is."""
    # Its layout (6 bytes: their number, the table's, the field's place), itself, and the vector.
    changed.extend(bytes(-len(changed) % 4 + 2))
    layout = len(changed)
    changed.extend(struct.pack("<3H", 6, 8, 4))
    position = len(changed)
    vector = position + 8
    vector += -(vector + 4) % _DATA_ALIGNMENT
    changed.extend(struct.pack("<iI", position - layout, vector - (position + 4)))
    changed.extend(bytes(vector - len(changed)))
    changed.extend(struct.pack("<I", len(data)))
    changed.extend(data)
    return position
