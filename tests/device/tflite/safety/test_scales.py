"""Scales on which a kernel ends the process are refused; those that it computes with are not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.one_operator import Operand, one_operator_model

SHAPE = [1, 4]


def q(scale: float, dtype: str = "int8", zero_point: int = 0) -> Operand:
    return dtype, SHAPE, scale, zero_point


RAW: Operand = ("int8", SHAPE)
BOOL: Operand = ("bool", SHAPE)

REFUSED: list[tuple[str, list[Operand], Operand, str]] = [
    ("ADD", [RAW, q(0.1)], q(0.1), r"tensor 't0' \(int8\) has no scale"),
    ("ADD", [q(0.1), q(0.1)], q(-0.0), r"tensor 't2' \(int8\) has no scale"),
    ("ADD", [q(100), q(100)], q(1e-6), "its output's scale is 1e-06, expected above"),
    ("SUB", [q(1.0), q(100)], q(1e-5), "its output's scale is 1e-05, expected above"),
    ("SQUARED_DIFFERENCE", [q(1.0), q(0.02)], q(1e-6), "expected above 0.000244"),
    ("GREATER", [q(1.0), q(0.5)], BOOL, "its inputs' scale is 1, expected below 1"),
    ("EQUAL", [q(0.5), RAW], BOOL, "has no scale"),
    ("ADD", [q(0.9, "int16"), q(0.5, "int16")], q(1e-5, "int16"), "expected above 5.49e-05"),
    ("LESS", [q(1.5, "int16"), q(0.5, "int16")], BOOL, "its inputs' scale is 1.5, expected below"),
    ("ADD", [q(0.1, "int16", 5), q(0.1, "int16")], q(0.1, "int16"), "has the zero point 5"),
    ("RELU", [q(0.1, zero_point=300)], q(0.1), "has the zero point 300"),
    ("RELU", [q(0.1, "uint8", -1)], q(0.1, "uint8"), "has the zero point -1"),
    ("MEAN", [q(0.1), ("int32", [1])], RAW, "has no scale"),
]


@pytest.mark.parametrize(("op", "inputs", "output", "words"), REFUSED)
def test_scales_that_end_the_process(
    op: str, inputs: list[Operand | None], output: Operand, words: str
) -> None:
    with pytest.raises(ModelError, match=rf"operator 0 \({op}\): .*{words}"):
        read_tflite(one_operator_model(op, inputs, [output]), subject="x")


GOOD: list[tuple[str, list[Operand], Operand]] = [
    ("ADD", [q(0.1), q(0.02)], q(0.11)),
    ("ADD", [q(0.1, "int16"), q(0.02, "int16")], q(0.11, "int16")),
    ("ADD", [q(2**-3, "int16"), q(2**-4, "int16")], q(2**-20, "int16")),
    ("MUL", [q(0.1), q(0.02)], q(1e-3)),
    # MobileNetV3 trained from scratch has such a scale, and its lookup table takes it.
    ("SOFTMAX", [q(7.84e-9)], q(1 / 256, zero_point=-128)),
    ("GREATER", [q(0.99), q(0.5)], BOOL),
    ("SQUARED_DIFFERENCE", [q(0.02), q(0.02)], q(0.01)),
    ("SOFTMAX", [q(0.1)], q(1 / 256, zero_point=-128)),
    ("HARD_SWISH", [q(0.05)], q(0.03)),
    # 8-bit numbers without a scale, where none is needed.
    ("MAXIMUM", [RAW, RAW], RAW),
    ("MEAN", [RAW, ("int32", [1])], RAW),
]


@pytest.mark.parametrize(("op", "inputs", "output"), GOOD)
def test_scales_that_kernels_compute_with(
    op: str, inputs: list[Operand | None], output: Operand
) -> None:
    read_tflite(one_operator_model(op, inputs, [output]), subject="x")


_RUN = """
import sys
from ai_edge_litert.interpreter import Interpreter
model = Interpreter(model_content=sys.stdin.buffer.read())
model.allocate_tensors()
model.invoke()
"""


@pytest.mark.parametrize(
    ("op", "inputs", "output"),
    [
        ("GREATER", [q(1.0), q(0.5)], BOOL),
        ("SQUARED_DIFFERENCE", [q(1.0), q(0.02)], q(1e-6)),
        ("ADD", [q(1.0), q(0.5)], q(1.8e-6)),
        ("ADD", [q(0.9, "int16"), q(0.5, "int16")], q(2.2e-6, "int16")),
    ],
)
def test_the_limits_are_those_of_the_runtime(
    op: str, inputs: list[Operand | None], output: Operand
) -> None:
    pytest.importorskip("ai_edge_litert", reason="the limits are shown on ai-edge-litert")
    model = one_operator_model(op, inputs, [output])
    done = subprocess.run(
        [sys.executable, "-P", "-c", _RUN], input=model, capture_output=True, check=False
    )
    assert done.returncode < 0, "the runtime should have died of it"
