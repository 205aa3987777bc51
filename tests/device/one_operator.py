"""Models of one operator, or two in a row, for tests to get wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

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

Operand: TypeAlias = "tuple[str, list[int]] | tuple[str, list[int], float, int]"
"""Type and shape of a tensor; where it is quantized, scale and zero point too."""


def one_operator_model(
    op: str,
    inputs: Sequence[Operand | None],
    outputs: Sequence[Operand],
    *,
    options: tuple[int, Mapping[int, int]] | None = None,
    fed: Sequence[int] | None = None,
    constants: Mapping[int, bytes] | None = None,
    onto: int | None = None,
    then: tuple[str, Sequence[int], Operand] | None = None,
) -> bytes:
    """Return a `.tflite` file.

    Args:
        op: the operator.
        inputs: its inputs; None for one that is left out.
        outputs: its outputs, the graph's too.
        options: the union's number, and its integer fields.
        fed: the numbers of the inputs that the graph is fed with; by default the first, and others
            that are not sizes or axes, which are constants of zeros.
        constants: contents of inputs, by their numbers.
        onto: the tensor that the operator writes instead of its output.
        then: another operator, the tensors that it takes, and what it gives.
    """
    if fed is None:
        fed = [
            number
            for number, operand in enumerate(inputs)
            if number == 0 or (operand is not None and operand[0] not in ("int32", "int64"))
        ]
    constants = {
        number: np.zeros(operand[1], operand[0]).tobytes()
        for number, operand in enumerate(inputs)
        if operand is not None and number not in fed
    } | dict(constants or {})
    tensors: list[TableNode] = []
    buffers: list[TableNode] = [{}]
    taken: list[int] = []
    sources: list[int] = []
    for number, operand in enumerate(inputs):
        taken.append(-1 if operand is None else len(tensors))
        if operand is None:
            continue
        if number in constants:
            buffers.append({0: constants[number]})
        if number in fed:
            sources.append(len(tensors))
        tensors.append(_tensor(tensors, operand, len(buffers) - 1 if number in constants else 0))
    given = list(range(len(tensors), len(tensors) + len(outputs)))
    for operand in outputs:
        tensors.append(_tensor(tensors, operand, 0))
    steps = [operator(taken, given if onto is None else [onto])]
    if options is not None:
        union, fields = options
        steps[0] |= {
            3: Number("B", union),
            4: {field: Number("i", value) for field, value in fields.items()},
        }
    codes = [operator_code(op)]
    if then is not None:
        codes.append(operator_code(then[0]))
        steps.append(operator(list(then[1]), [len(tensors)], 1))
        given = [len(tensors)]
        tensors.append(_tensor(tensors, then[2], 0))
    graph: TableNode = {0: tensors, 1: Numbers("i", sources), 2: Numbers("i", given), 3: steps}
    return encode({0: Number("I", 3), 1: codes, 2: [graph], 4: buffers})


def custom_model(op: str) -> bytes:
    """Return a model of one custom operator."""
    tensors = [tensor("a", [1, 4], "float32"), tensor("b", [1, 4], "float32")]
    graph: TableNode = {
        0: tensors,
        1: Numbers("i", [0]),
        2: Numbers("i", [1]),
        3: [operator([0], [1])],
    }
    codes = [operator_code("CUSTOM", custom=op)]
    return encode({0: Number("I", 3), 1: codes, 2: [graph], 4: [{}]})


def _tensor(tensors: Sequence[TableNode], operand: Operand, buffer: int) -> TableNode:
    name = f"t{len(tensors)}"
    if len(operand) == 2:
        return tensor(name, operand[1], operand[0], buffer)
    dtype, shape, scale, zero_point = operand
    return tensor(name, shape, dtype, buffer, quantization=quantization([scale], [zero_point]))
