"""Models of which only each operator's name, version, shapes and types are known.

What connects the operators is not in the lists. It is found by the shapes: an operator reads the
newest tensor of the shape that nothing has read yet, else the newest of the shape. Where there is
none, it reads a constant, as it does where weights or sizes belong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

from edgeinfer.device.tflite.model import Operator, Tensor, TfliteModel
from tests.device.graph_examples import model, numbers

_WEIGHTS = {"CONV_2D": (1, 2), "DEPTHWISE_CONV_2D": (1, 2), "FULLY_CONNECTED": (1, 2)}


def read_list(path: Path) -> tuple[TfliteModel, list[str]]:
    """Return a model like the one of the list, and where the compiler left each operator."""
    content = json.loads(path.read_text(encoding="utf-8"))
    graph = _Graph()
    graph.add(*content["input"])
    operators = [graph.operator(item) for item in content["ops"]]
    empty = model(graph.tensors, [], inputs=[0])
    subgraph = replace(empty.subgraphs[0], operators=tuple(operators))
    return replace(empty, subgraphs=(subgraph,)), [item["target"] for item in content["ops"]]


@dataclass
class _Graph:
    tensors: list[Tensor] = field(default_factory=list)
    computed: list[int] = field(default_factory=list)
    read: set[int] = field(default_factory=set)

    def add(self, shape: list[int], dtype: str) -> int:
        self.computed.append(self._keep(Tensor(name="", shape=tuple(shape), dtype=dtype)))
        return self.computed[-1]

    def operator(self, item: dict[str, Any]) -> Operator:
        op: str = item["op"]
        read: list[int] = []
        for place, (shape, dtype) in enumerate(item["inputs"]):
            found: int | None = None
            if dtype != "int32" and place not in _WEIGHTS.get(op, ()):
                found = self._newest(tuple(shape), dtype, read)
            read.append(self._constant(item, place) if found is None else found)
        self.read.update(read)
        return Operator(
            op=op,
            version=item["version"],
            custom=False,
            inputs=tuple(read),
            outputs=tuple(self.add(*output) for output in item["outputs"]),
        )

    def _newest(self, shape: tuple[int, ...], dtype: str, taken: list[int]) -> int | None:
        fitting = [
            index
            for index in reversed(self.computed)
            if self.tensors[index].shape == shape
            and self.tensors[index].dtype == dtype
            and index not in taken
        ]
        return next((i for i in fitting if i not in self.read), fitting[0] if fitting else None)

    def _constant(self, item: dict[str, Any], place: int) -> int:
        """Keep what an operator of these shapes has as a constant."""
        shape, dtype = item["inputs"][place]
        if dtype != "int32" or item["op"] in _WEIGHTS:
            size = 4 * prod(shape) if dtype == "int32" else prod(shape)
            data = memoryview(bytes(size))
            return self._keep(Tensor(name="", shape=tuple(shape), dtype=dtype, data=data))
        return self._keep(numbers(*_operands(item, place)))

    def _keep(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def _operands(item: dict[str, Any], place: int) -> list[int]:
    """Return paddings, positions, strides, sizes, repetitions or axes that give such an output."""
    before: list[int] = item["inputs"][0][0]
    after: list[int] = item["outputs"][0][0]
    if item["op"] == "PAD":
        sides = ((b - a) // 2 for a, b in zip(before, after, strict=True))
        return [value for side in sides for value in (side, side)]
    if item["op"] == "STRIDED_SLICE":
        return [[0] * len(before), after, [1] * len(before)][place - 1]
    if item["op"] == "TRANSPOSE":
        axes: list[int] = []
        for size in after:
            axes.append(next(i for i, b in enumerate(before) if b == size and i not in axes))
        return axes
    if item["op"] == "TILE":
        return [b // a for a, b in zip(before, after, strict=True)]
    if item["op"].startswith("RESIZE"):
        return after[1:3]
    return after if item["op"] == "RESHAPE" else [-1]
