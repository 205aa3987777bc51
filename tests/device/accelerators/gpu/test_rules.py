"""Each rule of the GPU delegate with what keeps it and what breaks it."""

from __future__ import annotations

import struct

import pytest

from edgeinfer.device.accelerators.gpu.accelerator import ACCELERATOR
from edgeinfer.device.accelerators.gpu.rules import (
    CUSTOM_OPS,
    FOLDED,
    LEFT_WEIGHTS,
    RULES,
    map_gpu,
    refusal,
)
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.model import Tensor
from tests.device.graph_examples import image, model, numbers, op_view

INT8 = image(1, 8, 8, 4)
FLOAT = image(1, 8, 8, 4, dtype="float32")
VECTOR = image(1, 4, dtype="float32")
WHOLE = image(1, 8, 8, 4, dtype="int32")
BOOL = image(1, 8, 8, 4, dtype="bool")
COMPUTED = image(2, dtype="int32")


def weights(*shape: int, dtype: str = "float32") -> Tensor:
    size = 2 if dtype == "float16" else 4
    elements = image(*shape).elements
    data = memoryview(bytes(size * elements))
    return Tensor(name="", shape=shape, dtype=dtype, data=data)


PADDING = Tensor(name="", shape=(4, 2), dtype="int32", data=numbers(*[0] * 8).data)
SHORT_PADDING = Tensor(name="", shape=(2, 2), dtype="int32", data=numbers(*[0] * 4).data)
ONE = Tensor(name="", shape=(), dtype="float32", data=memoryview(struct.pack("<f", 1)))


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options"),
    [
        ("CONV_2D", [FLOAT, weights(4, 3, 3, 4), weights(4)], FLOAT, {}),
        ("CONV_2D", [INT8, weights(4, 3, 3, 4)], INT8, {}),
        ("DEPTHWISE_CONV_2D", [FLOAT, weights(1, 3, 3, 4)], FLOAT, {"depth_multiplier": 1}),
        ("FULLY_CONNECTED", [VECTOR, weights(4, 4)], VECTOR, {}),
        ("ADD", [FLOAT, weights(1, 4)], FLOAT, {}),
        ("MUL", [FLOAT, image(1, 1, 1, 4, dtype="float32")], FLOAT, {}),
        ("SUB", [FLOAT, FLOAT], FLOAT, {}),
        ("HARD_SWISH", [FLOAT], FLOAT, {}),
        ("MEAN", [FLOAT, numbers(1, 2)], VECTOR, {}),
        ("CAST", [BOOL], FLOAT, {}),
        ("CAST", [WHOLE], FLOAT, {}),
        ("GREATER", [FLOAT, FLOAT], BOOL, {}),
        ("SOFTMAX", [VECTOR], VECTOR, {"beta_bits": 0x3F800000}),
        ("PAD", [FLOAT, PADDING], FLOAT, {}),
        ("RESHAPE", [FLOAT, numbers(1, 256)], image(1, 256, dtype="float32"), {}),
        ("STRIDED_SLICE", [FLOAT, numbers(0), numbers(1), numbers(1)], FLOAT, {}),
        ("GATHER", [FLOAT, numbers(0, 1)], FLOAT, {}),
        ("SELECT_V2", [BOOL, FLOAT, ONE], FLOAT, {}),
        ("ONE_HOT", [WHOLE, numbers(3), ONE, ONE], FLOAT, {}),
        ("RESIZE_BILINEAR", [FLOAT, numbers(16, 16)], FLOAT, {"align_corners": 1}),
        ("SPACE_TO_DEPTH", [FLOAT], FLOAT, {"block_size": 2}),
        ("LSTM", [FLOAT] * 24, FLOAT, {}),
        ("DEQUANTIZE", [INT8], FLOAT, {}),
        ("EMBEDDING_LOOKUP", [COMPUTED, weights(9, 4)], image(2, 4, dtype="float32"), {}),
        ("DYNAMIC_UPDATE_SLICE", [FLOAT, FLOAT, COMPUTED], FLOAT, {}),
    ],
)
def test_what_is_taken(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int]
) -> None:
    assert refusal(op_view(op, inputs, [output], options=options)) == ""


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options", "words"),
    [
        ("ARG_MAX", [FLOAT, numbers(3)], WHOLE, {}, "no such operator"),
        ("RELU", [image(1, 4, dtype="int16")], FLOAT, {}, "reads int16, not float"),
        ("RELU", [FLOAT], WHOLE, {}, "writes int32, not float"),
        ("RELU", [image(1, 1, 1, 1, 4, dtype="float32")], FLOAT, {}, "more than 4 dimensions"),
        ("RELU", [FLOAT], image(1, 1, 1, 1, 4), {}, "more than 4 dimensions"),
        ("CONV_2D", [FLOAT, FLOAT, VECTOR], FLOAT, {}, "more than its data and weights"),
        ("CONV_2D", [FLOAT, weights(1)], FLOAT, {"fused_activation": 5}, "SIGN_BIT"),
        ("DEPTHWISE_CONV_2D", [FLOAT, weights(1, 3, 4)], FLOAT, {}, "not of rank 4"),
        (
            "DEPTHWISE_CONV_2D",
            [FLOAT, weights(1, 3, 3, 8)],
            image(1, 8, 8, 8, dtype="float32"),
            {"depth_multiplier": 2},
            "its multiplier is 2 for 4 channels",
        ),
        ("DEPTHWISE_CONV_2D", [FLOAT, weights(1, 3, 3, 3)], FLOAT, {}, "do not fit"),
        ("FULLY_CONNECTED", [VECTOR, weights(4, 4)], VECTOR, {"weights_format": 1}, "shuffled"),
        ("FULLY_CONNECTED", [weights(1, 4), VECTOR], VECTOR, {}, "its data is constant"),
        ("FULLY_CONNECTED", [FLOAT, weights(4)], VECTOR, {"keep_num_dims": 1}, "the rank"),
        ("ADD", [FLOAT], FLOAT, {}, "not have two inputs"),
        ("ADD", [FLOAT, image(2, 3, dtype="float32")], FLOAT, {}, "broadcasts 1 x 8 x 8 x 4"),
        (
            "MUL",
            [image(1, 4, dtype="float32"), image(4, 1, dtype="float32")],
            FLOAT,
            {},
            "1 x 4 and 4 x 1: neither covers",
        ),
        ("SUB", [FLOAT, None], FLOAT, {}, "other operands than two"),
        ("TANH", [weights(4)], FLOAT, {}, "0 of its inputs are computed, not 1"),
        ("TANH", [FLOAT, weights(4)], FLOAT, {}, "1 of its inputs are constant, not 0"),
        ("MEAN", [FLOAT, COMPUTED], FLOAT, {}, "reads int32"),
        ("SUM", [FLOAT, weights(1)], FLOAT, {}, "not constant int32"),
        ("CAST", [INT8], FLOAT, {}, "it turns int8 into float32"),
        ("GATHER", [WHOLE, numbers(0)], FLOAT, {}, "gathers int32"),
        ("GATHER", [FLOAT, weights(2)], FLOAT, {}, "its indices are float32 of rank 1"),
        ("SOFTMAX", [VECTOR], VECTOR, {"beta_bits": 0}, "beta is not 1"),
        ("PAD", [FLOAT, SHORT_PADDING], FLOAT, {}, "its padding is 2 x 2"),
        ("MIRROR_PAD", [FLOAT, PADDING], FLOAT, {"mode": 1}, "mirrors with the border"),
        ("SLICE", [VECTOR, numbers(0, 0)], VECTOR, {}, "slices rank 2"),
        ("STRIDED_SLICE", [FLOAT], FLOAT, {"shrink_axis_mask": 1}, "drops an axis"),
        ("STRIDED_SLICE", [FLOAT], FLOAT, {"ellipsis_mask": 1}, "a new axis"),
        ("SELECT", [BOOL, INT8, INT8], INT8, {}, "chooses among int8"),
        ("SELECT", [BOOL, VECTOR, FLOAT], FLOAT, {}, "1 x 4 is not its output's shape"),
        ("SELECT", [BOOL, FLOAT], FLOAT, {}, "not have three inputs"),
        ("ONE_HOT", [FLOAT, numbers(3), ONE, ONE], FLOAT, {}, "indices are float32"),
        ("ONE_HOT", [WHOLE, numbers(3), ONE, FLOAT], FLOAT, {}, "constant float32 scalars"),
        (
            "RESIZE_BILINEAR",
            [FLOAT, numbers(9, 9)],
            FLOAT,
            {"align_corners": 1, "half_pixel_centers": 1},
            "corners and centres",
        ),
        ("DEPTH_TO_SPACE", [FLOAT], FLOAT, {"block_size": 1}, "block size is 1"),
        ("LSTM", [FLOAT] * 5, FLOAT, {}, "5 inputs, not 20 or 24"),
        ("LSTM", [FLOAT] * 5, FLOAT, {"kernel_type": 1}, "not a basic LSTM"),
        ("EMBEDDING_LOOKUP", [WHOLE, weights(9, 4)], FLOAT, {}, "not a vector"),
        ("DYNAMIC_UPDATE_SLICE", [FLOAT, VECTOR, COMPUTED], FLOAT, {}, "same type and rank"),
        ("DYNAMIC_UPDATE_SLICE", [FLOAT, FLOAT, FLOAT], FLOAT, {}, "not an int32 vector"),
    ],
)
def test_what_is_refused_and_why(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int], words: str
) -> None:
    assert words in refusal(op_view(op, inputs, [output], options=options))


def test_custom_operators() -> None:
    assert refusal(op_view("mine", [FLOAT], [FLOAT], custom=True)) == "custom operator"
    assert refusal(op_view(CUSTOM_OPS[0], [FLOAT], [FLOAT], custom=True)) == ""
    assert "(ethos-u)" in refusal(op_view("ethos-u", [INT8], [INT8], custom=True))


def test_every_rule_is_of_a_real_operator_and_answers_whatever_a_file_says() -> None:
    assert set(RULES) <= set(BUILTIN_OPS)
    for op in RULES:
        for inputs in ((), (None,) * 5, (image(),) * 5, (numbers(5, -9),) * 5, (FLOAT,) * 5):
            for outputs in ((), (image(),), (FLOAT,)):
                assert isinstance(refusal(op_view(op, inputs, outputs)), str)


def test_the_largest_part_goes_to_the_gpu() -> None:
    steps = [
        ("RELU", [0], [1]),
        ("TOPK_V2", [1], [2]),
        ("RELU", [2], [3]),
        ("TANH", [3], [4]),
    ]
    mapping = map_gpu(model([FLOAT] * 5, steps))
    assert [op.target for op in mapping.ops] == ["cpu", "cpu", "gpu", "gpu"]
    assert mapping.ops[0].reason == "supported, but not in the largest part"
    assert mapping.first_left == mapping.ops[1]
    assert (mapping.partitions, mapping.remark) == (1, "")


def test_8_bit_numbers_are_computed_in_float() -> None:
    mapping = map_gpu(model([INT8, INT8], [("RELU", [0], [1])]))
    assert mapping.ops[0].reason == "supported, computed in float"
    assert mapping.remark == "1 of them with 8-bit numbers, computed in floating point"


def test_float16_weights_are_read_as_they_are_and_join_no_parts() -> None:
    """DEQUANTIZE of the second convolution's weights must not come into the first part."""
    small = weights(4, 3, 3, 4, dtype="float16")
    tensors = [FLOAT, small, FLOAT, FLOAT, FLOAT, small, FLOAT, FLOAT]
    steps = [
        ("DEQUANTIZE", [1], [2]),
        ("DEQUANTIZE", [5], [6]),
        ("CONV_2D", [0, 2], [3]),
        ("TOPK_V2", [3], [4]),
        ("CONV_2D", [4, 6], [7]),
    ]
    mapping = map_gpu(model(tensors, steps))
    assert [op.target for op in mapping.ops] == ["gpu", "cpu", "gpu", "cpu", "cpu"]
    assert (mapping.ops[0].reason, mapping.ops[1].reason) == (FOLDED, LEFT_WEIGHTS)
    assert mapping.first_left == mapping.ops[3]


@pytest.mark.parametrize(
    ("tensors", "step", "words"),
    [
        ([FLOAT, FLOAT, COMPUTED], ("RESHAPE", [0, 2], [1]), "dynamic sizes"),
        ([FLOAT, image(8, 8, 4, dtype="float32")], ("RESHAPE", [0], [1]), "changes (1 RESHAPE)"),
    ],
)
def test_where_the_delegate_gives_up_all_stays_on_the_cpu(
    tensors: list[Tensor], step: tuple[str, list[int], list[int]], words: str
) -> None:
    last = len(tensors)
    graph = model([*tensors, FLOAT], [("RELU", [0], [last]), step])
    mapping = map_gpu(graph)
    assert mapping.mapped == mapping.partitions == 0
    assert words in mapping.ops[0].reason
    assert any("export it with fixed shapes" in line for line in ACCELERATOR.lines(graph))
