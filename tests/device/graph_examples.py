"""Graphs as a reader would give them, for what is computed from them; no bytes behind them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from edgeinfer.device.accelerators.operands import OpView
from edgeinfer.device.tflite.model import Operator, Subgraph, Tensor, TfliteModel

Step = tuple[str, Sequence[int], Sequence[int]]
"""An operator: its kind, its input tensors, its output tensors."""


def image(*shape: int, dtype: str = "int8", name: str = "", variable: bool = False) -> Tensor:
    """A tensor that is computed."""
    return Tensor(name=name, shape=shape, dtype=dtype, variable=variable)


def constant(*shape: int) -> Tensor:
    """A tensor of INT8 weights."""
    tensor = Tensor(name="", shape=shape, dtype="int8")
    return Tensor(name="", shape=shape, dtype="int8", data=memoryview(bytes(tensor.elements)))


def numbers(*values: int) -> Tensor:
    """A constant vector of int32: a shape, axes, positions."""
    data = struct.pack(f"<{len(values)}i", *values)
    return Tensor(name="", shape=(len(values),), dtype="int32", data=memoryview(data))


def op_view(
    op: str,
    inputs: Sequence[Tensor | None],
    outputs: Sequence[Tensor],
    *,
    version: int = 1,
    options: Mapping[str, int] | None = None,
    custom: bool = False,
) -> OpView:
    """One operator and its tensors, as rules look at it."""
    operator = Operator(
        op=op, version=version, custom=custom, inputs=(), outputs=(), options=options or {}
    )
    return OpView(operator=operator, inputs=tuple(inputs), outputs=tuple(outputs))


def model(
    tensors: Sequence[Tensor],
    steps: Sequence[Step],
    *,
    inputs: Sequence[int] = (),
    outputs: Sequence[int] = (),
) -> TfliteModel:
    """A model of one graph."""
    graph = Subgraph(
        name="main",
        tensors=tuple(tensors),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        operators=tuple(
            Operator(
                op=op, version=1, custom=op.islower(), inputs=tuple(read), outputs=tuple(written)
            )
            for op, read, written in steps
        ),
    )
    return TfliteModel(
        schema_version=3,
        description="",
        operator_codes=(),
        subgraphs=(graph,),
        metadata=(),
        signatures=(),
    )
