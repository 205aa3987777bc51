"""Small float `.tflite` models that run, made without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from tests.device.tflite_examples import (
    Node,
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

SIDE = 4
"""Width and height of the input, which has three channels from -1 to 1."""

RED, BLUE = (
    np.tile(np.eye(3)[channel], SIDE * SIDE).astype(np.float32) / SIDE**2 for channel in (0, 2)
)
"""Weights of a dense layer over all pixels, (48,), whose result is how red or blue they are."""

STURDY = (4 * np.stack([RED, BLUE]),)
"""A classifier of reddish and bluish pictures, one dense layer, which INT8 keeps."""

FRAGILE = (
    np.stack([2000 * (RED + BLUE), RED - BLUE]),
    np.array([[0, 1], [0, -1]], np.float32),
)
"""The same answers by a number that plain INT8 loses next to a large one."""

_OPTIONS: dict[str, tuple[int, dict[int, Node]]] = {
    "FULLY_CONNECTED": (8, {}),
    "SOFTMAX": (9, {0: Number("f", 1.0)}),
    "L2_NORMALIZATION": (12, {}),
    "RESHAPE": (17, {}),
}


class _Graph:
    """The tables of a model that grows operator by operator."""

    def __init__(self) -> None:
        self.tensors: list[TableNode] = [tensor("image", [1, SIDE, SIDE, 3], "float32")]
        self.buffers: list[TableNode] = [{}]
        self.operators: list[TableNode] = []
        self.ops: list[str] = []

    def constant(self, values: NDArray[np.generic]) -> int:
        self.buffers.append({0: values.tobytes()})
        name = f"constant {len(self.tensors)}"
        shape, dtype = list(values.shape), str(values.dtype)
        self.tensors.append(tensor(name, shape, dtype, len(self.buffers) - 1))
        return len(self.tensors) - 1

    def step(self, op: str, inputs: list[int], name: str, shape: Sequence[int]) -> int:
        self.tensors.append(tensor(name, list(shape), "float32"))
        if op not in self.ops:
            self.ops.append(op)
        kind, options = _OPTIONS.get(op, (0, {}))
        said: TableNode = {3: Number("B", kind), 4: options} if kind else {}
        made = len(self.tensors) - 1
        self.operators.append(operator(inputs, [made], self.ops.index(op)) | said)
        return made

    def reshape(self, source: int, name: str, shape: Sequence[int]) -> int:
        return self.step("RESHAPE", [source, self.constant(np.array(shape, np.int32))], name, shape)

    def dense(self, source: int, weights: NDArray[np.float32], name: str) -> int:
        held = self.constant(weights.astype(np.float32))
        return self.step("FULLY_CONNECTED", [source, held, -1], name, (1, len(weights)))

    def encoded(self, outputs: Sequence[int]) -> bytes:
        graph: TableNode = {
            0: self.tensors,
            1: Numbers("i", [0]),
            2: Numbers("i", [*outputs]),
            3: self.operators,
            4: "main",
        }
        codes = [operator_code(op) for op in self.ops]
        return encode({0: Number("I", 3), 1: codes, 2: [graph], 4: self.buffers})


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of a network.

    Attributes:
        weights: of the dense layer that computes it, (units, inputs).
        op: an operator behind that, such as SOFTMAX; empty for none.
        shape: of the output; empty for (1, units).
    """

    weights: NDArray[np.float32]
    op: str = ""
    shape: tuple[int, ...] = ()


def network(*outputs: Output, hidden: Sequence[NDArray[np.float32]] = ()) -> bytes:
    """Return a network of dense layers without biases over all pixels, as `.tflite`.

    Args:
        outputs: each has its own last layer.
        hidden: the weights of the layers before, which all share.
    """
    graph, results = _Graph(), list[int]()
    last = graph.reshape(0, "pixels", [1, 3 * SIDE * SIDE])
    for number, weights in enumerate(hidden):
        last = graph.dense(last, weights, f"hidden {number}")
    for number, output in enumerate(outputs):
        made = graph.dense(last, output.weights, f"dense {number}")
        if output.op:
            size = (1, len(output.weights))
            made = graph.step(output.op, [made], f"{output.op.lower()} {number}", size)
        if output.shape:
            made = graph.reshape(made, f"output {number}", output.shape)
        results.append(made)
    return graph.encoded(results)


def classifier(*layers: NDArray[np.float32]) -> bytes:
    """Return a network of these layers whose last layer gives logits."""
    return network(Output(weights=layers[-1]), hidden=layers[:-1])


def write_colours(folder: Path, count: int, *, named: bool = False, seed: int = 0) -> Path:
    """Write pictures, half of them a little more red than blue, the others the other way round.

    Args:
        folder: where they go.
        count: how many.
        named: whether they go into folders `red` and `blue` below it.
        seed: of the pixels.
    """
    generator = np.random.default_rng(seed)
    for index in range(count):
        word, channel = (("red", 0), ("blue", 2))[index % 2]
        pixels = generator.integers(0, 256 - 40, (SIDE, SIDE, 3))
        pixels[..., 2 - channel] = pixels[..., channel]
        pixels[..., channel] += generator.integers(5, 40, (SIDE, SIDE))
        place = folder / word if named else folder
        write_atomically(place / f"{index:03}.png", encode_png(pixels.astype(np.uint8)))
    return folder
