"""What a protobuf file is, by the numbers and kinds of its outermost fields.

Protobuf has no magic bytes, and ONNX, Core ML, SavedModels and frozen graphs are all such files.
Their outermost fields are walked without reading what is in them, so that the size of the file does
not matter.

Source of the numbers: onnx/onnx.proto (ModelProto), Core ML's Model.proto, and TensorFlow's
saved_model.proto and graph.proto (GraphDef, NodeDef).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from edgeinfer.device.core.model_file.kinds import ModelKind

_MOST_FIELDS = 100
"""A model whose kind 100 outermost fields do not show is none of these."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MOST_VERSION = 200
"""Of the formats; ONNX has reached 13, Core ML 10."""

_ONNX_BYTES = frozenset({2, 3, 4, 6, 7, 8, 14, 20, 25, 26})
_ONNX_GRAPH, _ONNX_VERSION = 7, 1
_COREML_TYPES = range(200, 3001)
"""The fields of the oneof that holds the model itself; 500 is a neural network."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    number: int
    wire: int
    value: int
    """A varint's value; of bytes, where they begin."""
    size: int = 0


def kind_of_protobuf(stream: BinaryIO) -> ModelKind:
    """Return which of the formats a file is, or "unknown".

    Args:
        stream: the file.

    Raises:
        OSError: it cannot be read.
    """
    fields = list(_fields(stream))
    if not fields:
        return "unknown"
    if fields[0].number == 1 and fields[0].wire == _BYTES:
        return "frozen-graph" if _is_graph(stream, fields) else "unknown"
    if not _has_version(fields):
        return "unknown"
    long = {field.number for field in fields if field.wire == _BYTES}
    if any(number in _COREML_TYPES for number in long) and long - {2} <= set(_COREML_TYPES):
        return "coreml"
    if _ONNX_GRAPH in long and long <= _ONNX_BYTES:
        return "onnx"
    return "saved-model-file" if long == {2} and fields[0].value == 1 else "unknown"


def _has_version(fields: list[_Field]) -> bool:
    """Return whether the first number is a version, as in all but graphs."""
    return any(
        field.number == 1 and field.wire == _VARINT and 0 < field.value < _MOST_VERSION
        for field in fields
    )


def _is_graph(stream: BinaryIO, fields: list[_Field]) -> bool:
    """Return whether the first field is a NodeDef: a name, then the name of an operator."""
    if any((field.number, field.wire) not in ((1, 2), (2, 2), (3, 0), (4, 2)) for field in fields):
        return False
    stream.seek(fields[0].value)
    node = stream.read(min(fields[0].size, 1024))
    texts = []
    for tag in (b"\x0a", b"\x12"):
        size = node[1] if len(node) > 1 else 0
        if node[:1] != tag or not 0 < size < 128 or len(node) < 2 + size:
            return False
        texts.append(node[2 : 2 + size])
        node = node[2 + size :]
    return texts[0].isascii() and texts[1].isalnum() and texts[1][:1].isupper()


def _fields(stream: BinaryIO) -> Iterator[_Field]:
    """Give the first outermost fields; none at all where the bytes cannot be such fields.

    A last field that reaches beyond the end is given, too: a model may be truncated.
    """
    end = stream.seek(0, os.SEEK_END)
    place = stream.seek(0)
    found: list[_Field] = []
    while place < end and len(found) < _MOST_FIELDS:
        tag = _varint(stream)
        number, wire = tag >> 3, tag & 7
        if tag < 0 or number == 0:
            return
        value, size = 0, 0
        if wire == _VARINT:
            if (value := _varint(stream)) < 0:
                return
        elif wire == _BYTES:
            if (size := _varint(stream)) < 0:
                return
            value = stream.tell()
        elif wire in (_FIXED64, _FIXED32):
            stream.read(8 if wire == _FIXED64 else 4)
        else:
            return
        found.append(_Field(number=number, wire=wire, value=value, size=size))
        place = stream.tell() + size
        if place > end:
            break
        stream.seek(place)
    yield from found


def _varint(stream: BinaryIO) -> int:
    """Return a number, or -1 where there is none."""
    value = 0
    for index in range(_LONGEST_VARINT):
        byte = stream.read(1)
        if not byte:
            return -1
        value |= (byte[0] & 0x7F) << 7 * index
        if byte[0] < 0x80:
            return value
    return -1
