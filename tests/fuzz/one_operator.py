"""Models of one operator, good and bad ones: what the tables of operators are tried on.

Half of them begin as a signature of the table says and have faults put in; the others are drawn
without it. Kinds of faults: types, shapes, ranks and sizes that do not fit; too few or too many
tensors; scales that are missing, tiny, huge or negative zero; zero points out of range; options
that are missing or of odd values; constants where data is expected and the other way round; weights
outside of the FlatBuffer, at places that are theirs or not (`moved.py`).
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.safety.operators import Slot, parse_signature
from edgeinfer.device.tflite.safety.signatures import LETTERS, SIGNATURES
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    quantization,
    tensor,
)
from tests.fuzz.moved import moved_outside

_OPS = [op for op in BUILTIN_OPS if op not in ("CUSTOM", "PLACEHOLDER_FOR_GREATER_OP_CODES")]
_COVERED = [op for op in _OPS if op in SIGNATURES]
_TYPES = ["float32", "int32", "int64", "int8", "uint8", "int16", "bool", "float16", "int4"]
_SIZES = (1, 1, 2, 2, 3, 4, 5, 8)
_SCALES = (1.0, 0.5, 0.02, 1 / 256, 1 / 128, 1e-6, 1e-20, 100.0, 1e6, 1e30, -0.0, 0.0)
_BYTES = {"float32": 4, "int32": 4, "int64": 8, "int16": 2, "float16": 2, "float64": 8}
# The union of options of each operator whose kernel divides or steps by their values; field
# numbers of small integers. Others are drawn.
_UNIONS = {
    "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5, "L2_POOL_2D": 5,
    "SVDF": 6, "RNN": 7, "FULLY_CONNECTED": 8, "SOFTMAX": 9, "CONCATENATION": 10, "ADD": 11,
    "L2_NORMALIZATION": 12, "LOCAL_RESPONSE_NORMALIZATION": 13, "LSTM": 14, "RESIZE_BILINEAR": 15,
    "SPACE_TO_DEPTH": 19, "MUL": 21, "PAD": 22, "GATHER": 23, "BATCH_TO_SPACE_ND": 24,
    "SPACE_TO_BATCH_ND": 25, "TRANSPOSE": 26, "MEAN": 27, "SUM": 27, "REDUCE_MAX": 27,
    "REDUCE_MIN": 27, "REDUCE_PROD": 27, "REDUCE_ANY": 27, "REDUCE_ALL": 27, "SUB": 28, "DIV": 29,
    "STRIDED_SLICE": 32, "TOPK_V2": 34, "SPLIT": 35, "CAST": 37, "ARG_MAX": 40,
    "TRANSPOSE_CONV": 49,
    "SPARSE_TO_DENSE": 50, "SHAPE": 55, "ARG_MIN": 57, "FAKE_QUANT": 58, "PACK": 59, "ONE_HOT": 61,
    "UNPACK": 64, "RESIZE_NEAREST_NEIGHBOR": 74, "LEAKY_RELU": 75, "MIRROR_PAD": 77, "SPLIT_V": 79,
    "UNIQUE": 81, "REVERSE_SEQUENCE": 83, "DEPTH_TO_SPACE": 94, "CUMSUM": 102, "BATCH_MATMUL": 101,
    "CONV_3D": 106, "CONV_3D_TRANSPOSE": 106, "GELU": 117, "IF": 92, "WHILE": 93, "CALL_ONCE": 103,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 71, "BIDIRECTIONAL_SEQUENCE_LSTM": 67,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 46, "BIDIRECTIONAL_SEQUENCE_RNN": 66,
}  # fmt: skip


def generate(random: Random) -> bytes:
    """Return a `.tflite` file of one operator, some with weights outside of the FlatBuffer."""
    model = _from_signature(random) if random.random() < 0.6 else _drawn(random)
    return moved_outside(model, random) if random.random() < 0.2 else model


def _from_signature(random: Random) -> bytes:
    op = random.choice(_COVERED)
    signature = parse_signature(random.choice(SIGNATURES[op]))
    shape = _shape(random, random.randint(0, 5))
    one_type = ""
    for slot in (*signature.inputs, *signature.outputs):
        if slot.one_type:
            one_type = random.choice(sorted(slot.types))
            break
    quality = random.choice((0.0, 0.0, 0.02, 0.1))
    inputs = _from_slots(random, signature.inputs, shape, one_type, quality)
    outputs = _from_slots(random, signature.outputs, shape, one_type, quality)
    if op in ("SPLIT", "SPLIT_V", "UNPACK"):
        outputs = outputs[:1] * random.randint(1, 3)
    if random.random() < quality and inputs:
        del inputs[random.randrange(len(inputs)) :]
    return _model(random, op, inputs, outputs)


def _from_slots(
    random: Random, slots: tuple[Slot, ...], shape: list[int], one_type: str, quality: float
) -> list[tuple[str, list[int]] | None]:
    tensors: list[tuple[str, list[int]] | None] = []
    for slot in slots:
        for _ in range(random.randint(1, 3) if slot.repeated else 1):
            if slot.optional and random.random() < 0.4:
                tensors.append(None)
                continue
            types = [name for name in sorted(slot.types) if name != "resource"] or _TYPES
            dtype = one_type if slot.one_type else random.choice(types)
            mine = list(shape)
            if slot.ranks is not None and len(mine) not in slot.ranks:
                mine = _shape(random, random.choice(slot.ranks))
            count = len(shape) if slot.elements_are_rank else slot.elements
            if count is not None:
                mine = [count] if count != 1 or random.random() < 0.5 else []
            elif random.random() < 0.4:
                mine = _shape(random, len(mine))
            if random.random() < quality:
                mine = _shape(random, random.randint(0, 5))
            if random.random() < quality:
                dtype = random.choice(_TYPES)
            tensors.append((dtype, mine))
    while tensors and tensors[-1] is None:
        tensors.pop()
    return tensors


def _drawn(random: Random) -> bytes:
    op = random.choice(_OPS)
    dtype = random.choice(_TYPES)
    shape = _shape(random, random.randint(0, 5))

    def some(low: int, high: int) -> list[tuple[str, list[int]] | None]:
        return [
            (
                dtype if random.random() < 0.7 else random.choice(_TYPES),
                list(shape) if random.random() < 0.6 else _shape(random, random.randint(0, 5)),
            )
            for _ in range(random.randint(low, high))
        ]

    return _model(random, op, some(0, 5), some(1, 3) if random.random() < 0.3 else some(1, 1))


def _shape(random: Random, rank: int) -> list[int]:
    return [0 if random.random() < 0.01 else random.choice(_SIZES) for _ in range(rank)]


def _model(
    random: Random,
    op: str,
    inputs: list[tuple[str, list[int]] | None],
    outputs: list[tuple[str, list[int]] | None],
) -> bytes:
    tensors: list[TableNode] = []
    buffers: list[TableNode] = [{}]
    fed: list[int] = []
    taken: list[int] = []
    for number, spec in enumerate(inputs):
        if spec is None:
            taken.append(-1)
            continue
        dtype, shape = spec
        index = len(tensors)
        taken.append(index)
        buffer = 0
        if number and random.random() < 0.5:
            buffer = len(buffers)
            buffers.append({0: _constant(random, dtype, shape)})
        else:
            fed.append(index)
        tensors.append(_tensor(random, f"t{index}", dtype, shape, buffer))
    given = []
    for spec in outputs:
        if spec is not None:
            given.append(len(tensors))
            tensors.append(_tensor(random, f"t{len(tensors)}", *spec, 0))
    step = operator(taken, given)
    if op in _UNIONS and random.random() < 0.97:
        step |= {3: Number("B", _UNIONS[op]), 4: _options(random, op, len(given))}
    return encode(
        {
            0: Number("I", 3),
            1: [operator_code(op, random.choice((1, 1, 2, 3, 4, 5)))],
            2: [{0: tensors, 1: Numbers("i", fed), 2: Numbers("i", given), 3: [step], 4: "main"}],
            4: buffers,
        }
    )


def _options(random: Random, op: str, outputs: int) -> TableNode:
    if op in ("SPLIT", "SPLIT_V", "UNPACK"):
        count = outputs if random.random() < 0.95 else random.randint(0, 4)
        return {0: Number("i", count), 1: Number("i", random.choice((0, 0, 1, -1, 2)))}
    if op in ("SOFTMAX", "LEAKY_RELU"):
        return {0: Number("f", random.choice((1.0, 1.0, 0.1, -1.0, 1e-30, 1e30)))}
    fields: TableNode = {}
    for field in range(8):
        if random.random() < 0.8:
            fields[field] = Number("i", random.choice((0, 1, 1, 1, 2, 3, -1, 127)))
    return fields


def _tensor(random: Random, name: str, dtype: str, shape: list[int], buffer: int) -> TableNode:
    chance = 0.92 if dtype in ("int8", "uint8", "int16", "int4") else 0.1
    fields: dict[str, Any] = {}
    if random.random() < chance:
        axis = random.randrange(len(shape)) if shape else 0
        count = shape[axis] if shape and random.random() < 0.15 else 1
        scale = random.choice(_SCALES[:5]) if random.random() < 0.85 else random.choice(_SCALES)
        zero = random.choice((0, 0, 0, 0, -128, 127, 255, 128, 1000))
        fields["quantization"] = quantization([scale] * count, [zero] * count, axis)
    return tensor(name, shape, dtype, buffer, **fields)


def _constant(random: Random, dtype: str, shape: list[int]) -> bytes:
    count = int(np.prod(shape)) if shape else 1
    if dtype in ("int32", "int64", "int16"):
        high = random.choice((1, 3, 8, 1000, 2**31 - 1 if dtype != "int16" else 30000))
        low = random.choice((0, 0, -1, -high))
        values = [random.randint(low, high) for _ in range(count)]
        return np.array(values, dtype).tobytes()
    return random.randbytes(count * _BYTES.get(dtype, 1))


assert set(LETTERS.values()) >= set(_TYPES)
