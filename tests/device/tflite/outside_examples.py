"""Models whose weights lie outside of their FlatBuffer, made of any others."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from edgeinfer.device.tflite.flatbuffer import FlatBuffer

_BUFFERS = 4


def outside(
    model: bytes,
    *,
    least_bytes: int = 1,
    misplaced: int = 0,
    only: Sequence[int] | None = None,
    behind: bytes = b"",
) -> bytes:
    """Return a model with its buffers behind the FlatBuffer; what lay inside becomes 0xAA.

    Args:
        model: a good `.tflite` file with all its buffers inside.
        least_bytes: smaller ones stay where they are.
        misplaced: by how many bytes each one begins behind a multiple of 16.
        only: the numbers of the buffers that are moved; None for all.
        behind: what follows the last one.
    """
    root = FlatBuffer(model).root()
    tables = list(enumerate(root.tables(_BUFFERS)))
    chosen = [
        number
        for number, table in tables
        if len(table.raw(0)) >= least_bytes and (only is None or number in only)
    ]
    contents = {number: bytes(table.raw(0)) for number, table in tables if number in chosen}
    places = root.table_places(_BUFFERS)
    changed = bytearray(model)
    for content in contents.values():
        # Reading what was inside must give another answer.
        start = changed.find(content) if len(content) >= 256 else -1
        if start >= 0:
            changed[start : start + len(content)] = bytes([0xAA]) * len(content)
    numbers = {number: _append_table(changed, places[number]) for number in chosen}
    for number, content in contents.items():
        changed.extend(bytes(-len(changed) % 16))
        changed.extend(bytes(misplaced))
        struct.pack_into("<2Q", changed, numbers[number], len(changed), len(content))
        changed.extend(content)
    return bytes(changed) + behind


def _append_table(changed: bytearray, place: int) -> int:
    """Append a table Buffer with offset and size; return the place of those two numbers."""
    changed.extend(bytes(-len(changed) % 8 + 2))
    layout = len(changed)
    # The layout's bytes, the table's, and the places of data (none), offset and size in it.
    changed.extend(struct.pack("<5H", 10, 24, 0, 8, 16) + bytes(4))
    position = len(changed)
    assert position % 8 == 0
    changed.extend(struct.pack("<iI2Q", position - layout, 0, 0, 0))
    struct.pack_into("<I", changed, place, position - place)
    return position + 8


def offset_places(model: bytes) -> list[int]:
    """Return where offset and size of each buffer outside stand, 16 bytes each."""
    tables = FlatBuffer(model).root().tables(_BUFFERS)
    places = [table.number_place(1, "Q") for table in tables if not table.has(0)]
    return [place for place in places if place is not None]
