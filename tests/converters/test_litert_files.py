"""ai-edge-quantizer's results on models of any size: files that every runtime reads."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.converters.quantize.litert import cast_float16, quantize_int8
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

pytest.importorskip("ai_edge_quantizer", reason="quantizing needs the host extra")

SIZES = (12, 140_000)
"""Inputs of the dense layer: its weights below and above what the quantizer keeps in the file."""


def dense(inputs: int) -> bytes:
    """A float dense layer from (1, inputs) to (1, 2)."""
    weights = np.random.default_rng(1).normal(0, 1 / inputs, (2, inputs)).astype(np.float32)
    model: TableNode = {
        0: Number("I", 3),
        1: [operator_code("FULLY_CONNECTED")],
        2: [
            {
                0: [
                    tensor("in", [1, inputs], "float32"),
                    tensor("weights", [2, inputs], "float32", buffer=1),
                    tensor("out", [1, 2], "float32"),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [2]),
                3: [operator([0, 1, -1], [2]) | {3: Number("B", 8), 4: {}}],
            }
        ],
        4: [{}, {0: weights.tobytes()}],
    }
    return encode(model)


def answer(model: bytes, values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    runner = Runner(model, subject="x", runtime="ai-edge-litert")
    (fed,), (read,) = runner.inputs, runner.outputs
    if fed.scale:
        values = np.clip(np.round(values / fed.scale) + fed.zero_point, -128, 127)
    return read.dequantize(runner.invoke([values.astype(fed.dtype)])[0])


@pytest.mark.parametrize("inputs", SIZES)
@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_weights_are_in_the_file_and_every_runtime_loads_it(inputs: int, precision: str) -> None:
    float32 = dense(inputs)
    ranges = {"in": (-1.0, 1.0), "out": (-0.3, 0.3)}
    small = (
        cast_float16(float32, subject="x")
        if precision == "float16"
        else quantize_int8(float32, ranges, subject="x", per_tensor_dense=True)
    )
    graph = read_tflite(small, subject="x")
    assert graph.fully_integer == (precision == "int8")
    assert 2 * inputs <= graph.constant_bytes < 5 * inputs + 100
    values = np.random.default_rng(2).uniform(-1, 1, (1, inputs)).astype(np.float32)
    assert answer(small, values) == pytest.approx(answer(float32, values), abs=0.01)
    require_loadable(small, subject="x")
