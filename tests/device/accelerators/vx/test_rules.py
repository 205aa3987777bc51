"""Each rule of the VX delegate with what keeps it and what breaks it."""

from __future__ import annotations

import pytest

from edgeinfer.device.accelerators.vx.accelerator import ACCELERATOR
from edgeinfer.device.accelerators.vx.rules import RULES, map_vx, refusal
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.model import Quantization, Tensor
from tests.device.graph_examples import constant, image, model, numbers, op_view

PIXELS = image(1, 8, 8, 4)
FLOAT = image(1, 8, 8, 4, dtype="float32")
WHOLE = image(1, 8, 8, 4, dtype="int32")
WIDE = image(1, 8, 8, 4, dtype="int16")
SCALE = Quantization(scales=(0.5,), zero_points=(0,))
SCALED = Tensor(name="", shape=(1, 8, 8, 4), dtype="int8", quantization=SCALE)
SCALED_WIDE = Tensor(name="", shape=(1, 8, 8, 4), dtype="int16", quantization=SCALE)
SCALED_WHOLE = Tensor(name="", shape=(1, 8, 8, 4), dtype="int32", quantization=SCALE)
PER_CHANNEL = Tensor(
    name="",
    shape=(1, 8, 8, 4),
    dtype="int8",
    quantization=Quantization(scales=(1.0, 2.0), zero_points=(0, 0)),
)
COMPUTED = image(2, dtype="int32")
LSTM = [PIXELS, *[constant(1)] * 17, PIXELS, WIDE]


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options"),
    [
        ("HARD_SWISH", [PIXELS], PIXELS, {}),
        ("CONV_2D", [PIXELS, PER_CHANNEL, None], PIXELS, {}),
        ("CONV_2D", [image(2, 8, 8, 4), constant(4, 3, 3, 4)], image(2, 8, 8, 4), {}),
        ("CONV_2D", [PIXELS, constant(4, 3, 3, 2)], PIXELS, {}),
        ("FULLY_CONNECTED", [image(1, 4), constant(2, 4), None], image(1, 2), {}),
        ("ADD", [FLOAT, FLOAT], FLOAT, {}),
        ("ADD", [WHOLE, WHOLE], WHOLE, {"fused_activation": 1}),
        ("DEQUANTIZE", [SCALED], FLOAT, {}),
        ("QUANTIZE", [FLOAT], SCALED, {}),
        ("RESHAPE", [PIXELS, numbers(1, 256)], image(1, 256), {}),
        ("TRANSPOSE_CONV", [numbers(1, 16, 16, 4), PER_CHANNEL, PIXELS], PIXELS, {}),
        ("STRIDED_SLICE", [PIXELS, numbers(0), numbers(1), numbers(2)], PIXELS, {}),
        ("RESIZE_BILINEAR", [SCALED, numbers(512, 512)], image(1, 512, 512, 4), {}),
        ("MEAN", [PIXELS, numbers(1, 2)], image(1, 4), {}),
        ("ARG_MAX", [image(1, 4, dtype="uint8"), numbers(1)], image(1, dtype="int32"), {}),
        ("BATCH_MATMUL", [FLOAT, FLOAT], FLOAT, {"adj_x": 1}),
        ("SPACE_TO_BATCH_ND", [PIXELS, numbers(2, 2), numbers(0, 0, 0, 0)], PIXELS, {}),
        ("SELECT", [image(1, 8, 8, 4, dtype="bool"), FLOAT, FLOAT], FLOAT, {}),
        ("PACK", [PIXELS, PIXELS], image(2, 1, 8, 8, 4), {}),
        ("SLICE", [PIXELS, numbers(0, 0, 0, 0), numbers(1, 4, 4, 4)], image(1, 4, 4, 4), {}),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", LSTM, PIXELS, {}),
        ("POW", [WHOLE, FLOAT], FLOAT, {}),
        ("SPLIT", [numbers(3), SCALED], SCALED, {}),
    ],
)
def test_what_is_taken(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int]
) -> None:
    assert refusal(op_view(op, inputs, [output], options=options)) == ""


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options", "words"),
    [
        ("TOPK_V2", [PIXELS], PIXELS, {}, "no such operator"),
        ("RELU", [image(1, 4, dtype="int64")], PIXELS, {}, "reads int64"),
        ("RELU", [PIXELS], image(1, 4, dtype="int64"), {}, "writes int64"),
        ("RELU", [WIDE], WIDE, {}, "writes int16"),
        ("RELU", [image(1, 4, dtype="float64")], PIXELS, {}, "reads float64"),
        ("RELU", [image(1, 1, 1, 1, 1, 1, 2)], PIXELS, {}, "more than 6 dimensions"),
        ("RELU", [image(1, 65_536)], PIXELS, {}, "a size above 65,535"),
        ("RELU", [image(1, 0)], PIXELS, {}, "is empty"),
        ("CONV_2D", [FLOAT, PER_CHANNEL], FLOAT, {}, "int8 weights with float32 activations"),
        ("DEPTHWISE_CONV_2D", [FLOAT, PER_CHANNEL], FLOAT, {}, "int8 weights with float32"),
        ("CONV_2D", [image(2, 8, 8, 4), constant(4, 3, 3, 2)], PIXELS, {}, "groups with a batch"),
        ("CONV_3D", [PIXELS, constant(1)], PIXELS, {"dilation_depth": 2}, "dilated"),
        ("CONV_3D", [PIXELS, PIXELS], PIXELS, {}, "weights are computed"),
        ("FULLY_CONNECTED", [FLOAT, PER_CHANNEL], FLOAT, {}, "int8 weights with float32"),
        (
            "FULLY_CONNECTED",
            [PIXELS, constant(2, 4)],
            PIXELS,
            {"weights_format": 1},
            "shuffled",
        ),
        ("FULLY_CONNECTED", [WIDE, WIDE], PIXELS, {}, "reads int16"),
        ("DEQUANTIZE", [SCALED_WIDE], FLOAT, {}, "int16 into float32"),
        ("DEQUANTIZE", [PER_CHANNEL], FLOAT, {}, "reads per-channel numbers"),
        ("QUANTIZE", [SCALED_WHOLE], PIXELS, {}, "int32 into int8"),
        ("QUANTIZE", [SCALED_WIDE], WHOLE, {}, "int16 into int32"),
        ("QUANTIZE", [FLOAT], PER_CHANNEL, {}, "writes per-channel numbers"),
        ("ADD", [WIDE, WIDE], PIXELS, {}, "int16 into int8"),
        ("MUL", [WHOLE, WHOLE], WHOLE, {"fused_activation": 2}, "fused RELU_N1_TO_1"),
        ("POW", [WHOLE, WHOLE], WHOLE, {}, "powers of int32"),
        ("RESHAPE", [PIXELS, COMPUTED], PIXELS, {}, "shape is computed"),
        ("RESHAPE", [image(1)], image(), {}, "a scalar"),
        ("PAD", [PIXELS, COMPUTED], PIXELS, {}, "shape is computed"),
        ("TRANSPOSE_CONV", [COMPUTED, PER_CHANNEL, PIXELS], PIXELS, {}, "shape is computed"),
        ("STRIDED_SLICE", [PIXELS, COMPUTED], PIXELS, {}, "positions are computed"),
        ("STRIDED_SLICE", [PIXELS], PIXELS, {"new_axis_mask": 1}, "a new axis"),
        ("SLICE", [PIXELS, COMPUTED, COMPUTED], PIXELS, {}, "positions are computed"),
        ("SLICE", [image(2, 8, 8, 4), numbers(0), numbers(1)], PIXELS, {}, "slices the batch"),
        ("RESIZE_BILINEAR", [SCALED, COMPUTED], PIXELS, {}, "size is computed"),
        ("RESIZE_BILINEAR", [PIXELS, numbers(2, 2)], PIXELS, {}, "without a scale"),
        ("SPLIT", [numbers(3), PIXELS], PIXELS, {}, "without a scale"),
        ("SPACE_TO_DEPTH", [WHOLE], WHOLE, {}, "reads int32"),
        ("MEAN", [PIXELS, COMPUTED], PIXELS, {}, "axis or size is computed"),
        ("BATCH_MATMUL", [PIXELS, PIXELS], PIXELS, {}, "matrices of int8"),
        ("BATCH_MATMUL", [WHOLE, WHOLE], WHOLE, {}, "writes int32"),
        ("BATCH_MATMUL", [FLOAT, FLOAT], FLOAT, {"adj_x": 1, "adj_y": 1}, "both factors"),
        ("SPACE_TO_BATCH_ND", [image(1, 8, 4), numbers(2)], PIXELS, {}, "not of rank 4"),
        ("BATCH_TO_SPACE_ND", [PIXELS, numbers(2)], PIXELS, {}, "not of 2 dimensions"),
        ("SELECT", [image(8, dtype="bool"), FLOAT, FLOAT], FLOAT, {}, "8 chooses among 1 x 8"),
        ("SELECT_V2", [PIXELS, PIXELS, PIXELS], PIXELS, {}, "chooses among int8"),
        ("PACK", [WHOLE, WHOLE], WHOLE, {}, "packs int32"),
        ("PACK", [image(4), image(4)], PIXELS, {}, "packs 8-bit vectors"),
        ("ONE_HOT", [WHOLE, COMPUTED], FLOAT, {}, "size is computed"),
        ("ONE_HOT", [WHOLE, numbers(3)], image(1, dtype="bool"), {}, "writes bool"),
        ("ARG_MAX", [PIXELS, numbers(3)], WHOLE, {}, "of int8 into int32"),
        ("ARG_MIN", [FLOAT, numbers(0)], image(dtype="int32"), {}, "a scalar"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [FLOAT], FLOAT, {}, "reads float32"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [*LSTM[:18], FLOAT], PIXELS, {}, "remembers float32"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [*LSTM[:19], FLOAT], PIXELS, {}, "state is float32"),
    ],
)
def test_what_is_refused_and_why(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int], words: str
) -> None:
    assert words in refusal(op_view(op, inputs, [output], options=options))


def test_custom_operators() -> None:
    assert refusal(op_view("mine", [PIXELS], [PIXELS], custom=True)) == "custom operator"
    assert refusal(op_view("vsi-npu", [PIXELS], [PIXELS], custom=True)) == ""
    compiled = refusal(op_view("edgetpu-custom-op", [PIXELS], [PIXELS], custom=True))
    assert compiled == "compiled for another accelerator (edgetpu)"


def test_every_rule_is_of_a_real_operator_and_answers_whatever_a_file_says() -> None:
    assert set(RULES) <= set(BUILTIN_OPS)
    for op in RULES:
        for inputs in ((), (None,) * 20, (image(),) * 20, (numbers(5, -9),) * 20):
            for outputs in ((), (image(),)):
                assert isinstance(refusal(op_view(op, inputs, outputs)), str)


def test_parts_are_counted_and_the_first_left_is_named() -> None:
    steps = [
        ("RELU", [0], [1]),
        ("TOPK_V2", [1], [2]),
        ("RELU", [2], [3]),
        ("mine", [3], [4]),
    ]
    graph = model([PIXELS] * 5, steps)
    mapping = map_vx(graph)
    assert [op.target for op in mapping.ops] == ["vx", "cpu", "vx", "cpu"]
    assert (mapping.mapped, mapping.partitions, mapping.remark) == (2, 2, "")
    assert ACCELERATOR.summary(mapping) == (
        "2 of 4 operators will run on the NPU (VX delegate), in 2 parts; first left: "
        "1 TOPK_V2 (the VX delegate has no such operator)"
    )
    assert ACCELERATOR.to_json(graph)["ops"] == [
        {"op": "RELU", "index": 0, "target": "vx", "reason": "supported"},
        {
            "op": "TOPK_V2",
            "index": 1,
            "target": "cpu",
            "reason": "the VX delegate has no such operator",
        },
        {"op": "RELU", "index": 2, "target": "vx", "reason": "supported"},
        {"op": "mine", "index": 3, "target": "cpu", "reason": "custom operator"},
    ]


def test_floating_point_is_taken_and_said_to_be_slow() -> None:
    graph = model([FLOAT, FLOAT], [("RELU", [0], [1])])
    mapping = map_vx(graph)
    assert mapping.ops[0].target == "vx"
    assert mapping.ops[0].reason == "supported, slow: float32"
    lines = ACCELERATOR.lines(graph)
    assert lines[1] == "1 of them in floating point, which its integer core is slow at"
    assert any(line.startswith("what helps: quantize it") for line in lines)
    assert "not run on the hardware" in lines[-1]


def test_no_graph_and_no_operators() -> None:
    assert ACCELERATOR.summary(map_vx(model([], []))).startswith("0 of 0 operators")
