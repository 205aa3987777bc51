"""A FlatBuffer writer of a few lines, and a small real `.tflite` made with it.

Tests damage the model field by field, which needs no TensorFlow and no stored file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.model import ELEMENT_BITS


@dataclass
class Number:
    kind: str
    value: float


@dataclass
class Numbers:
    kind: str
    values: list[Any]


TableNode: TypeAlias = "dict[int, Node]"
Node: TypeAlias = "TableNode | list[TableNode] | Number | Numbers | str | bytes"

DTYPE_CODES = {dtype: code for code, dtype in enumerate(ELEMENT_BITS)}


def encode(root: TableNode, identifier: bytes = b"TFL3") -> bytes:
    """Return a FlatBuffer: parents first, so that every offset points forward."""
    buffer = bytearray(4) + identifier
    struct.pack_into("<I", buffer, 0, _put(buffer, root))
    return bytes(buffer)


def _put(buffer: bytearray, node: Node) -> int:
    """Append a node and return its position."""
    if isinstance(node, dict):
        return _put_table(buffer, node)
    if isinstance(node, str):
        node = node.encode() + b"\0"
        return _put_vector(buffer, len(node) - 1, node, 4)
    if isinstance(node, bytes):
        return _put_vector(buffer, len(node), node, 16)
    if isinstance(node, Numbers):
        packed = struct.pack(f"<{len(node.values)}{node.kind}", *node.values)
        return _put_vector(buffer, len(node.values), packed, 8)
    assert isinstance(node, list)
    position = _put_vector(buffer, len(node), bytes(4 * len(node)), 4)
    for index, item in enumerate(node):
        _patch(buffer, position + 4 + 4 * index, _put(buffer, item))
    return position


def _put_vector(buffer: bytearray, length: int, content: bytes, alignment: int) -> int:
    buffer.extend(bytes(-(len(buffer) + 4) % alignment))
    position = len(buffer)
    buffer.extend(struct.pack("<I", length) + content + bytes(-len(content) % 4))
    return position


def _put_table(buffer: bytearray, table: TableNode) -> int:
    layout, body = [0] * (max(table, default=-1) + 1), bytearray(4)
    for field, node in table.items():
        packed = struct.pack("<" + node.kind, node.value) if isinstance(node, Number) else bytes(4)
        body.extend(bytes(-len(body) % len(packed)))
        layout[field] = len(body)
        body.extend(packed)
    vtable = struct.pack(f"<{2 + len(layout)}H", 4 + 2 * len(layout), len(body), *layout)
    buffer.extend(bytes(-(len(buffer) + len(vtable)) % 8))
    buffer.extend(vtable)
    position = len(buffer)
    struct.pack_into("<i", body, 0, len(vtable))
    buffer.extend(body + bytes(-len(body) % 4))
    for field, node in table.items():
        if not isinstance(node, Number):
            _patch(buffer, position + layout[field], _put(buffer, node))
    return position


def _patch(buffer: bytearray, position: int, target: int) -> None:
    struct.pack_into("<I", buffer, position, target - position)


def operator_code(op: str, version: int = 1, custom: str | None = None) -> TableNode:
    code = BUILTIN_OPS.index(op)
    table: TableNode = {
        0: Number("b", min(code, 127)),
        2: Number("i", version),
        3: Number("i", code),
    }
    return table | ({1: custom} if custom is not None else {})


def operator(inputs: list[int], outputs: list[int], code: int = 0) -> TableNode:
    return {0: Number("I", code), 1: Numbers("i", inputs), 2: Numbers("i", outputs)}


def quantization(scales: list[float], zero_points: list[int], axis: int = 0) -> TableNode:
    return {2: Numbers("f", scales), 3: Numbers("q", zero_points), 6: Number("i", axis)}


def tensor(
    name: str, shape: list[int], dtype: str = "int8", buffer: int = 0, **fields: Node
) -> TableNode:
    table: TableNode = {
        0: Numbers("i", shape),
        1: Number("b", DTYPE_CODES[dtype]),
        2: Number("I", buffer),
        3: name,
    }
    if "quantization" in fields:
        table[4] = fields["quantization"]
    return table


WEIGHTS = np.array([[1, 2, 3, 4], [-1, -2, -3, -4]], np.int8)
BIAS = np.array([10, -10], np.int32)


def dense_model(version: int = 4, extra_codes: list[TableNode] | None = None) -> TableNode:
    """A dense layer in INT8 that the runtimes run: (1, 4) times WEIGHTS plus BIAS."""
    return {
        0: Number("I", 3),
        1: [operator_code("FULLY_CONNECTED", version), *(extra_codes or [])],
        2: [
            {
                0: [
                    tensor("image", [1, 4], quantization=quantization([0.5], [-1])),
                    tensor("weights", [2, 4], buffer=1, quantization=quantization([0.25], [0])),
                    tensor("bias", [2], "int32", 2, quantization=quantization([0.125], [0])),
                    tensor("scores", [1, 2], quantization=quantization([1.0], [0])),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [3]),
                3: [operator([0, 1, 2], [3]) | {3: Number("B", 8), 4: {}}],
                4: "main",
            }
        ],
        3: "a dense layer",
        4: [{}, {0: WEIGHTS.tobytes()}, {0: BIAS.tobytes()}, {0: b"1.5.0"}],
        6: [{0: "min_runtime_version", 1: Number("I", 3)}],
        7: [
            {
                0: [{0: "x", 1: Number("I", 0)}],
                1: [{0: "y", 1: Number("I", 3)}],
                2: "serving_default",
                4: Number("I", 0),
            }
        ],
    }


def relu_model(layers: int = 1) -> TableNode:
    """Rectifiers of one float32 value, one after the other, which XNNPACK computes everywhere."""
    return {
        0: Number("I", 3),
        1: [operator_code("RELU")],
        2: [
            {
                0: [tensor(f"x{index}", [1], "float32") for index in range(layers + 1)],
                1: Numbers("i", [0]),
                2: Numbers("i", [layers]),
                3: [operator([index], [index + 1]) for index in range(layers)],
            }
        ],
        4: [{}],
    }


def graph(model: TableNode) -> Any:
    """The first subgraph's table, for a test to change."""
    subgraphs: Any = model[2]
    return subgraphs[0]


def declares(op: str, version: int, custom: str | None = None) -> bytes:
    """A model with no operator that declares one: runtimes look it up as they load the file."""
    return encode(
        {
            0: Number("I", 3),
            1: [operator_code(op, version, custom)],
            2: [{0: [], 1: Numbers("i", []), 2: Numbers("i", []), 3: []}],
            4: [{}],
        }
    )
