"""A small reader of FlatBuffers that trusts nothing: every read is checked against the buffer.

FlatBuffers is the container of `.tflite` files. Its own Python package does not check offsets and
does not come with tflite-runtime, so the device reads the few constructs it needs here.

Offsets may alias: a file of a few megabytes can name one table a million times. A reader therefore
has a budget of tables and of bytes it copies, and reading costs time and memory within it.

Source: FlatBuffers' "Internals" document (root offset, tables, vtables, vectors, strings, unions).
"""

from __future__ import annotations

import struct
from typing import Literal, cast

MAX_TABLES = 200_000
"""Tables that one reader follows; image models have some thousands."""

MAX_COPIED_BYTES = 32 * 2**20
"""Bytes of strings, number vectors and large layouts that one reader copies; raw vectors are not
copied."""

_USUAL_LAYOUT = 64
"""Bytes of a table's layout that are not counted: TFLite's largest table has 28 fields."""

Kind = Literal["b", "B", "h", "H", "i", "I", "q", "Q", "f", "?"]
"""A number's type, as in the module `struct`."""

_NUMBERS: dict[str, struct.Struct] = {kind: struct.Struct(f"<{kind}") for kind in "bBhHiIqQf?"}
_INSIDE_OFFSET = frozenset({1, 2, 3})
_SIZES: dict[str, int] = {kind: number.size for kind, number in _NUMBERS.items()}


class FlatbufferError(Exception):
    """The bytes are not a FlatBuffer; code that reads a file turns this into an error with its
    name."""


class FlatBuffer:
    """The bytes of one FlatBuffer and what may still be read from it."""

    def __init__(self, data: bytes | memoryview) -> None:
        """Wrap the bytes; nothing is read yet."""
        self._view = memoryview(data).cast("B").toreadonly()
        self._length = len(self._view)
        self._tables_left = MAX_TABLES
        self._bytes_left = MAX_COPIED_BYTES

    def identifier(self) -> bytes:
        """Return the four bytes that name the file's type; fewer in a shorter buffer."""
        return bytes(self._view[4:8])

    def root(self) -> Table:
        """Return the outermost table."""
        return Table(self, self.follow(0))

    def integer(self, position: int, kind: Kind) -> int:
        """Return the little-endian integer at `position`, which must be aligned to its size."""
        number = _NUMBERS[kind]
        size = number.size
        # A model holds thousands: the common case is spared a call.
        if position < 0 or position % size or position + size > self._length:
            self._check(position, size, size)
        value: int = number.unpack_from(self._view, position)[0]
        return value

    def follow(self, position: int) -> int:
        """Return the position that the offset at `position` points to, always further on."""
        offset = self.integer(position, "I")
        if offset == 0:
            raise FlatbufferError(f"the offset at byte {position} is zero")
        return position + offset

    def vector(self, position: int, item_size: int) -> tuple[int, int]:
        """Return (position of the first item, number of items) of a vector."""
        length = self.integer(position, "I")
        self._check(position + 4, length * item_size, 1)
        return position + 4, length

    def raw(self, position: int, size: int) -> memoryview:
        """Return `size` bytes at `position`, not copied."""
        self._check(position, size, 1)
        return self._view[position : position + size]

    def numbers(self, position: int, kind: Kind) -> tuple[int | float, ...]:
        """Return the numbers of a vector."""
        start, length = self.vector(position, _SIZES[kind])
        self._check(start, length * _SIZES[kind], _SIZES[kind] if length else 1)
        self.spend_bytes(length * _SIZES[kind])
        return struct.unpack_from(f"<{length}{kind}", self._view, start)

    def spend_table(self) -> None:
        """Count a table that is about to be read."""
        self._tables_left -= 1
        if self._tables_left < 0:
            raise FlatbufferError(f"there are more than {MAX_TABLES} tables")

    def spend_bytes(self, size: int) -> None:
        """Count bytes that are about to be copied."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise FlatbufferError(f"names and lists take more than {MAX_COPIED_BYTES} bytes")

    def _check(self, position: int, size: int, alignment: int) -> None:
        if not 0 <= position <= position + size <= len(self._view):
            raise FlatbufferError(
                f"{size} bytes at byte {position} lie outside the file's {len(self._view)}"
            )
        if position % alignment:
            raise FlatbufferError(f"byte {position} is not aligned to {alignment}")


class Table:
    """One table: numbered fields, each of which may be absent."""

    __slots__ = ("_buffer", "_fields", "_position", "_size")

    def __init__(self, buffer: FlatBuffer, position: int) -> None:
        """Read the table's layout and check that it lies within the buffer."""
        buffer.spend_table()
        vtable = position - buffer.integer(position, "i")
        vtable_size = buffer.integer(vtable, "H")
        self._size = buffer.integer(vtable + 2, "H")
        if vtable_size < 4 or vtable_size % 2 or self._size < 4:
            raise FlatbufferError(f"the table at byte {position} has no valid layout")
        buffer.raw(position, self._size)
        layout = buffer.raw(vtable + 4, vtable_size - 4)
        # Many tables may share one layout, of up to 32,765 fields.
        if vtable_size > _USUAL_LAYOUT:
            buffer.spend_bytes(vtable_size)
        self._fields: tuple[int, ...] = struct.unpack(f"<{vtable_size // 2 - 2}H", layout)
        # 1 to 3 would lie within the offset to the layout; 0 stands for an absent field.
        if self._fields and (
            max(self._fields) >= self._size or not _INSIDE_OFFSET.isdisjoint(self._fields)
        ):
            raise FlatbufferError(f"a field of the table at byte {position} lies outside the table")
        self._buffer = buffer
        self._position = position

    def _place(self, field: int, size: int) -> int | None:
        """Return where a field's `size` bytes lie; None where the field is absent."""
        offset = self._fields[field] if field < len(self._fields) else 0
        if not offset:
            return None
        if offset + size > self._size:
            raise FlatbufferError(
                f"field {field} of the table at byte {self._position} lies outside the table"
            )
        return self._position + offset

    def _target(self, field: int) -> int | None:
        """Return where an offset field points; None where the field is absent."""
        if field >= len(self._fields) or not self._fields[field]:
            return None
        place = self._place(field, 4)
        return None if place is None else self._buffer.follow(place)

    def offset_place(self, field: int) -> tuple[int, int] | None:
        """Return (where a field's offset lies, where it points); None where it is absent.

        For those who change a copy of the file.
        """
        place = self._place(field, 4)
        return None if place is None else (place, self._buffer.follow(place))

    def has(self, field: int) -> bool:
        """Return whether a field is there."""
        return field < len(self._fields) and self._fields[field] != 0

    def integer(self, field: int, kind: Kind, default: int = 0) -> int:
        """Return an integer field or its default."""
        if field >= len(self._fields) or not self._fields[field]:
            return default
        place = self._place(field, _SIZES[kind])
        return default if place is None else self._buffer.integer(place, kind)

    def number_place(self, field: int, kind: Kind) -> int | None:
        """Return where a number field lies; None where it is absent.

        For those who change a copy of the file.
        """
        return self._place(field, _SIZES[kind])

    def number(self, field: int, default: float = 0.0) -> float:
        """Return a 32-bit float field or its default."""
        place = self._place(field, 4)
        if place is None:
            return default
        value: float = _NUMBERS["f"].unpack(self._buffer.raw(place, 4))[0]
        return value

    def string(self, field: int) -> str:
        """Return a string field, empty where absent; bytes that are not UTF-8 are escaped."""
        return self._string(field).decode(errors="backslashreplace")

    def text(self, field: int, what: str) -> str:
        """Return a string field that must be UTF-8, empty where absent.

        Args:
            field: its number.
            what: what it is, for errors.
        """
        content = self._string(field)
        try:
            return content.decode()
        except UnicodeDecodeError:
            shown = content.decode(errors="backslashreplace")
            raise FlatbufferError(f"a {what}, '{shown}', is not UTF-8") from None

    def _string(self, field: int) -> bytes:
        target = self._target(field)
        if target is None:
            return b""
        start, length = self._buffer.vector(target, 1)
        self._buffer.spend_bytes(length)
        if self._buffer.integer(start + length, "B"):
            raise FlatbufferError(f"the string at byte {target} does not end in a zero")
        return bytes(self._buffer.raw(start, length))

    def raw(self, field: int) -> memoryview:
        """Return a vector of bytes, not copied; empty where absent."""
        target = self._target(field)
        if target is None:
            return memoryview(b"")
        return self._buffer.raw(*self._buffer.vector(target, 1))

    def raw_at(self, position: int, size: int) -> memoryview:
        """Return bytes anywhere in what the reader was given, not copied.

        For formats that keep bytes outside the FlatBuffer and say where.
        """
        return self._buffer.raw(position, size)

    def integers(self, field: int, kind: Kind = "i") -> tuple[int, ...]:
        """Return a vector of integers; empty where absent."""
        target = self._target(field)
        return () if target is None else cast("tuple[int, ...]", self._buffer.numbers(target, kind))

    def floats(self, field: int) -> tuple[float, ...]:
        """Return a vector of 32-bit floats; empty where absent."""
        target = self._target(field)
        return () if target is None else self._buffer.numbers(target, "f")

    def table(self, field: int) -> Table | None:
        """Return a nested table; None where absent."""
        target = self._target(field)
        return None if target is None else Table(self._buffer, target)

    def tables(self, field: int) -> list[Table]:
        """Return a vector of tables; empty where absent."""
        target = self._target(field)
        if target is None:
            return []
        start, length = self._buffer.vector(target, 4)
        return [
            Table(self._buffer, self._buffer.follow(start + 4 * index)) for index in range(length)
        ]

    def table_places(self, field: int) -> list[int]:
        """Return where the offsets of a vector of tables lie; empty where absent.

        For those who change a copy of the file.
        """
        target = self._target(field)
        if target is None:
            return []
        start, length = self._buffer.vector(target, 4)
        return [start + 4 * index for index in range(length)]

    def union(self, type_field: int, value_field: int) -> tuple[int, Table | None]:
        """Return a union of tables: its type, 0 for none, and the table."""
        return self.integer(type_field, "B"), self.table(value_field)
