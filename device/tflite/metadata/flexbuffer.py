"""The numbers of a FlexBuffer's map: the options of a custom operator. Nothing in it is trusted.

Source: FlatBuffers' document "FlexBuffers" (root, maps, types and widths).
"""

from __future__ import annotations

import struct
from typing import TypeAlias

from edgeinfer.device.tflite.flatbuffer import FlatbufferError

Number: TypeAlias = "int | float | bool"

_MOST_KEYS = 1000
_LONGEST_KEY = 200
_INT, _UINT, _FLOAT, _MAP, _BOOL = 1, 2, 3, 9, 26
_INDIRECT = {6: _INT, 7: _UINT, 8: _FLOAT}
_FORMATS = {
    _INT: {1: "b", 2: "h", 4: "i", 8: "q"},
    _UINT: {1: "B", 2: "H", 4: "I", 8: "Q"},
    _BOOL: {1: "B", 2: "H", 4: "I", 8: "Q"},
    _FLOAT: {2: "e", 4: "f", 8: "d"},
}


def read_numbers(data: bytes | memoryview) -> dict[str, Number]:
    """Return the numbers and truth values of a map by their keys; other values are left out.

    Raises:
        FlatbufferError: the bytes are not such a map.
    """
    reader = _Reader(bytes(data))
    if len(data) < 3:
        raise FlatbufferError("a FlexBuffer has three bytes or more")
    width, kind = data[-1], data[-2]
    if kind >> 2 != _MAP:
        raise FlatbufferError(f"a FlexBuffer is of type {kind >> 2}, expected a map")
    values = reader.follow(len(data) - 2 - width, width)
    width = 1 << (kind & 3)
    count = reader.unsigned(values - width, width)
    if count > _MOST_KEYS:
        raise FlatbufferError(f"a FlexBuffer has {count:,} keys, expected {_MOST_KEYS:,} or less")
    keys = reader.follow(values - 3 * width, width)
    key_width = reader.unsigned(values - 2 * width, width)
    found: dict[str, Number] = {}
    for index in range(count):
        key = reader.key(reader.follow(keys + index * key_width, key_width))
        packed = reader.unsigned(values + count * width + index, 1)
        place, type_ = values + index * width, packed >> 2
        if type_ in _INDIRECT:
            number = reader.number(reader.follow(place, width), 1 << (packed & 3), _INDIRECT[type_])
        elif type_ in _FORMATS:
            number = reader.number(place, width, type_)
        else:
            continue
        found[key] = bool(number) if type_ == _BOOL else number
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, position: int, width: int, kind: int) -> int | float:
        """Return a number; raise FlatbufferError where there is none."""
        format_ = _FORMATS[kind].get(width)
        if format_ is None or position < 0 or position + width > len(self._data):
            raise FlatbufferError(
                f"byte {position} of a FlexBuffer is not a number of {width} bytes"
            )
        value: int | float = struct.unpack_from(f"<{format_}", self._data, position)[0]
        return value

    def unsigned(self, position: int, width: int) -> int:
        """Return a whole number from 0."""
        return int(self.number(position, width, _UINT))

    def follow(self, position: int, width: int) -> int:
        """Return where an offset points to, always further back."""
        return position - self.unsigned(position, width)

    def key(self, position: int) -> str:
        """Return the text up to the next zero byte."""
        end = self._data.find(b"\0", max(position, 0), max(position, 0) + _LONGEST_KEY)
        if position < 0 or end < 0:
            raise FlatbufferError("a FlexBuffer has a key without an end")
        return self._data[position:end].decode("utf-8", "replace")
