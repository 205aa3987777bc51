"""Graphs as a reader would give them, for what is computed from them; no bytes behind them."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.tflite_types import Operator, Subgraph, Tensor, TfliteModel

Step = tuple[str, Sequence[int], Sequence[int]]
"""An operator: its kind, its input tensors, its output tensors."""


def image(*shape: int, dtype: str = "int8", name: str = "", variable: bool = False) -> Tensor:
    """A tensor that is computed."""
    return Tensor(name=name, shape=shape, dtype=dtype, variable=variable)


def constant(*shape: int) -> Tensor:
    """A tensor of INT8 weights."""
    tensor = Tensor(name="", shape=shape, dtype="int8")
    return Tensor(name="", shape=shape, dtype="int8", data=memoryview(bytes(tensor.elements)))


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
