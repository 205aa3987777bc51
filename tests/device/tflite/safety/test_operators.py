"""Operators that are not as the table says are refused, each by what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.model import ELEMENT_BITS, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.safety.operators import parse_signature, uncovered_operators
from edgeinfer.device.tflite.safety.signatures import LETTERS, SIGNATURES, UNCOVERED_CUSTOM_OPS
from tests.device.one_operator import Operand, custom_model, one_operator_model


def read(op: str, inputs: list[Operand | None], outputs: list[Operand], **more: Any) -> TfliteModel:
    return read_tflite(one_operator_model(op, inputs, outputs, **more), subject="x")


F = ("float32", [1, 4])
I8 = ("int8", [1, 4])


@pytest.mark.parametrize("op", SIGNATURES)
def test_every_signature_can_be_read(op: str) -> None:
    assert op in BUILTIN_OPS or op in ("TFLite_Detection_PostProcess", "Convolution2DTransposeBias")
    for text in SIGNATURES[op]:
        signature = parse_signature(text)
        for slots in (signature.inputs, signature.outputs):
            # What may be left out or repeated is at the end, or counting would be useless.
            assert sum(slot.repeated for slot in slots) <= 1
            assert not any(slot.repeated for slot in slots[:-1])
            assert all(slot.types <= set(ELEMENT_BITS) for slot in slots)


def test_every_letter_is_a_type() -> None:
    assert set(LETTERS.values()) <= set(ELEMENT_BITS)
    assert len(set(LETTERS.values())) == len(LETTERS)


@pytest.mark.parametrize(
    ("op", "inputs", "outputs", "words"),
    [
        ("SOFTMAX", [F], [("uint8", [1, 4])], r"takes float32 \(1, 4\) and gives uint8 \(1, 4\)"),
        ("ADD", [F], [F], "it has 1 inputs, expected 2"),
        ("ADD", [F, F, F], [F], "it has 3 inputs, expected 2"),
        ("ADD", [F, F], [F, F], "it has 2 outputs, expected 1"),
        ("ADD", [F, I8], [F], "of the types float32 and int8, expected one type"),
        (
            "RELU",
            [("int64", [4])],
            [("int64", [4])],
            "input 0: its type is int64, expected float16 or",
        ),
        ("SLICE", [F, ("int32", [2])], [F], "it has 2 inputs, expected 3"),
        (
            "SLICE",
            [F, ("int32", [1]), ("int32", [2])],
            [F],
            "input 1: it has 1 elements, expected 2",
        ),
        (
            "REVERSE_V2",
            [("int64", []), ("int32", [1])],
            [("int64", [])],
            "0 dimensions, expected 1",
        ),
        ("REVERSE_V2", [F, ("int32", [0])], [F], "it has 0 elements, expected 1"),
        ("CONCATENATION", [], [F], "it has 0 inputs, expected 1 or more"),
        ("RESHAPE", [F, ("int64", [2])], [F], "input 1: its type is int64, expected int32"),
        ("EQUAL", [F, F], [F], "output 0: its type is float32, expected bool"),
        ("RANDOM_UNIFORM", [("int32", [2])], [F], "depends on what the model is fed"),
        (
            "FULLY_CONNECTED",
            [F, ("float32", [2, 4]), ("int32", [2])],
            [("float32", [1, 2])],
            r"takes float32 \(1, 4\), float32 \(2, 4\), int32 \(2,\) and gives float32 \(1, 2\)",
        ),
    ],
)
def test_the_error_names_what_differs(
    op: str, inputs: list[Operand | None], outputs: list[Operand], words: str
) -> None:
    with pytest.raises(ModelError, match=rf"operator 0 \({op}\): .*{words}"):
        read(op, inputs, outputs)


@pytest.mark.parametrize(
    ("op", "inputs", "outputs"),
    [
        ("SOFTMAX", [F], [F]),
        ("ADD", [F, F], [F]),
        ("CONCATENATION", [F] * 7, [("float32", [7, 4])]),
        ("FULLY_CONNECTED", [F, ("float32", [2, 4])], [("float32", [1, 2])]),
        ("FULLY_CONNECTED", [F, ("float32", [2, 4]), None], [("float32", [1, 2])]),
        ("RESHAPE", [F], [("float32", [4])]),
        ("CAST", [I8], [("float32", [1, 4])]),
    ],
)
def test_what_fits_is_read(op: str, inputs: list[Operand | None], outputs: list[Operand]) -> None:
    assert read(op, inputs, outputs).subgraphs[0].operators[0].op == op


def test_the_values_of_a_picture_decide_no_size() -> None:
    inputs: list[Operand | None] = [("float32", [9]), ("int32", [1]), ("int32", [1])]
    with pytest.raises(ModelError, match="input 1: it depends on what the model is fed"):
        read("SLICE", inputs, [("float32", [3])], fed=[0, 1, 2])


def test_the_shape_of_a_picture_may_decide_a_size() -> None:
    reshaped = one_operator_model(
        "SHAPE", [F], [("int32", [2])], then=("RESHAPE", [0, 1], ("float32", []))
    )
    assert len(read_tflite(reshaped, subject="x").subgraphs[0].operators) == 2


def test_a_shape_that_only_the_runtime_knows_has_no_rank() -> None:
    # Converters write an empty shape where they do not know it.
    chain = one_operator_model(
        "RESHAPE",
        [F, ("int32", [4])],
        [("float32", [])],
        then=("SPACE_TO_DEPTH", [2], ("float32", [])),
    )
    assert len(read_tflite(chain, subject="x").subgraphs[0].operators) == 2


@pytest.mark.parametrize("op", ["HASHTABLE_FIND", "STABLEHLO_SORT", "LSH_PROJECTION"])
def test_what_no_table_covers_is_named(op: str) -> None:
    assert uncovered_operators(read(op, [F], [F])) == (op,)


@pytest.mark.parametrize("op", sorted(UNCOVERED_CUSTOM_OPS))
def test_custom_operators_that_a_runtime_has_are_named(op: str) -> None:
    assert uncovered_operators(read_tflite(custom_model(op), subject="x")) == (op,)


@pytest.mark.parametrize("op", ["edgetpu-custom-op", "ethos-u", "SomethingElse"])
def test_custom_operators_that_no_runtime_has_are_left_to_it(op: str) -> None:
    assert uncovered_operators(read_tflite(custom_model(op), subject="x")) == ()


def test_an_output_is_written_once() -> None:
    model = one_operator_model("ADD", [F, F], [F], onto=0)
    with pytest.raises(ModelError, match="its output, tensor 0, is written already"):
        read_tflite(model, subject="x")


def test_a_constant_is_not_fed() -> None:
    model = one_operator_model("RELU", [F], [F], constants={0: bytes(16)})
    with pytest.raises(ModelError, match="the graph's input, tensor 0, is a constant"):
        read_tflite(model, subject="x")


def test_names_are_utf_8() -> None:
    model = one_operator_model("RELU", [F], [F]).replace(b"t0\0", b"\xff0\0")
    with pytest.raises(ModelError, match=r"a tensor's name, '\\xff0', is not UTF-8"):
        read_tflite(model, subject="x")


@pytest.mark.parametrize(
    ("filters", "multiplier", "fits"),
    [([1, 3, 3, 8], 2, True), ([1, 3, 3, 8], 0, True), ([1, 3, 3, 8], 4, False),
     ([1, 3, 3, 6], 2, False), ([2, 3, 3, 8], 2, False)],
)  # fmt: skip
def test_the_filters_of_a_depthwise_convolution_fit_its_option(
    filters: list[int], multiplier: int, fits: bool
) -> None:
    inputs: list[Operand | None] = [("float32", [1, 5, 5, 4]), ("float32", filters)]
    model = one_operator_model(
        "DEPTHWISE_CONV_2D",
        inputs,
        [("float32", [1, 5, 5, filters[3]])],
        options=(2, {1: 1, 2: 1, 3: multiplier}),
    )
    if fits:
        read_tflite(model, subject="x")
        return
    with pytest.raises(ModelError, match="do not fit 4 input channels times"):
        read_tflite(model, subject="x")


@pytest.mark.parametrize(
    ("op", "inputs", "union", "options", "words"),
    [
        ("LOCAL_RESPONSE_NORMALIZATION", [[1, 2, 2, 8]], 13, {0: -1}, "radius below 0"),
        ("L2_POOL_2D", [[1, 2, 2, 8]], 5, {1: 1, 2: 0, 3: 1, 4: 1}, "stride or window below 1"),
        (
            "CONV_2D",
            [[1, 4, 4, 2], [2, 1, 1, 2]],
            1,
            {1: 1, 2: 1, 4: 0},
            "dilation or radius below 1",
        ),
        (
            "CONV_3D",
            [[1, 4, 4, 4, 2], [1, 1, 1, 2, 2]],
            106,
            {1: 1, 2: -1, 3: 1},
            "stride or window below 1",
        ),
    ],
)
def test_options_that_kernels_divide_or_step_by(
    op: str, inputs: list[list[int]], union: int, options: dict[int, int], words: str
) -> None:
    operands: list[Operand | None] = [("float32", shape) for shape in inputs]
    model = one_operator_model(op, operands, [("float32", inputs[0])], options=(union, options))
    with pytest.raises(ModelError, match=f"{op} has a {words}|{op} has a .* {words}"):
        read_tflite(model, subject="x")


def test_a_radius_of_0_is_one() -> None:
    model = one_operator_model(
        "LOCAL_RESPONSE_NORMALIZATION",
        [("float32", [1, 2, 2, 8])],
        [("float32", [1, 2, 2, 8])],
        options=(13, {0: 0}),
    )
    assert read_tflite(model, subject="x").operator_codes[0].op == "LOCAL_RESPONSE_NORMALIZATION"
