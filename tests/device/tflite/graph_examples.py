"""Tiny networks: of any picture size, with two signatures, and one that XNNPACK refuses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)


def any_size(*, channels_first: bool = False, height: int = -1, width: int = -1) -> bytes:
    """The means of the colours of a picture, rectified: (1, any, any, 3) to (1, 3)."""
    shape, signature = [1, 1, 1, 3], [-1, height, width, 3]
    if channels_first:
        shape, signature = [1, 3, 1, 1], [-1, 3, height, width]
    for axis, size in enumerate(signature):
        shape[axis] = max(size, 1)
    axes = [2, 3] if channels_first else [1, 2]
    model: TableNode = {
        0: Number("I", 3),
        1: [operator_code("RELU"), operator_code("MEAN")],
        2: [
            {
                0: [
                    tensor("image", shape, "float32") | {7: Numbers("i", signature)},
                    tensor("rectified", shape, "float32") | {7: Numbers("i", signature)},
                    tensor("axes", [2], "int32", 1),
                    tensor("means", [1, 3], "float32") | {7: Numbers("i", [-1, 3])},
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [3]),
                3: [
                    operator([0], [1]),
                    operator([1, 2], [3], 1) | {3: Number("B", 27), 4: {0: Number("?", False)}},
                ],
                4: "main",
            }
        ],
        4: [{}, {0: np.array(axes, np.int32).tobytes()}],
    }
    return encode(model)


def _graph(op: int, name: str, outputs: int) -> TableNode:
    shape = [1, 2, 3, 3]
    names = [f"{name}_{index}" for index in range(outputs)]
    return {
        0: [tensor("image", shape, "float32"), *(tensor(one, shape, "float32") for one in names)],
        1: Numbers("i", [0]),
        2: Numbers("i", list(range(1, outputs + 1))),
        3: [operator([0], [index], op) for index in range(1, outputs + 1)],
        4: name,
    }


def signature(name: str, graph: int, outputs: dict[str, int]) -> TableNode:
    table: TableNode = {
        0: [{0: "image", 1: Number("I", 0)}],
        1: [{0: one, 1: Number("I", index)} for one, index in outputs.items()],
        2: name,
    }
    # Converters leave out a number that is the default.
    return table | ({4: Number("I", graph)} if graph else {})


def two_signatures(**changes: Any) -> bytes:
    """`negated` gives -x; `squared` gives x * x, and |x| as "size", listed the other way round."""
    model: TableNode = {
        0: Number("I", 3),
        1: [operator_code("NEG"), operator_code("SQUARE"), operator_code("ABS")],
        2: [_graph(0, "negated", 1), _graph(1, "squared", 2)],
        4: [{}],
        7: [
            signature("negated", 0, {"answer": 1}),
            signature("squared", 1, {"size": 2, "square": 1}),
        ],
    }
    graphs: Any = model[2]
    graphs[1][3][1] = operator([0], [2], 2)
    return encode(model | changes.get("fields", {}))


def dense_of_rank(rank: int, scores: int = 4) -> bytes:
    """A dense layer of 12 pixels' values to 4 scores, in a tensor of `rank` axes.

    XNNPACK of LiteRT 2.3 takes any, and fails with more than 6. No kernels make 4 numbers another
    count of scores.
    """
    weights = np.random.default_rng(0).normal(size=(4, 12)).astype(np.float32)
    flat, high = [1] * (rank - 1) + [12], [1] * (rank - 1) + [4]
    model: TableNode = {
        0: Number("I", 3),
        1: [operator_code("RESHAPE"), operator_code("FULLY_CONNECTED")],
        2: [
            {
                0: [
                    tensor("image", [1, 2, 2, 3], "float32"),
                    tensor("flat_shape", [rank], "int32", 1),
                    tensor("flat", flat, "float32"),
                    tensor("weights", [4, 12], "float32", 2),
                    tensor("high", high, "float32"),
                    tensor("scores_shape", [2], "int32", 3),
                    tensor("scores", [1, scores], "float32"),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [6]),
                3: [
                    operator([0, 1], [2]),
                    operator([2, 3, -1], [4], 1) | {3: Number("B", 8), 4: {2: Number("?", True)}},
                    operator([4, 5], [6]),
                ],
                4: "main",
            }
        ],
        4: [
            {},
            {0: np.array(flat, np.int32).tobytes()},
            {0: weights.tobytes()},
            {0: np.array([1, scores], np.int32).tobytes()},
        ],
    }
    return encode(model)
