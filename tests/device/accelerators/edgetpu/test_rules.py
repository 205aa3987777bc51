"""Each rule with what keeps it and what breaks it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from edgeinfer.device.accelerators.edgetpu.accelerator import ACCELERATOR
from edgeinfer.device.accelerators.edgetpu.mapping import map_model
from edgeinfer.device.accelerators.edgetpu.rules import RULES, refusal
from edgeinfer.device.accelerators.operands import OpView
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.tflite.model import Operator, Quantization, Tensor
from tests.device.graph_examples import constant, image, model, numbers, op_view


def why(
    op: str,
    inputs: list[Tensor | None],
    output: Tensor,
    *,
    version: int = 1,
    options: Mapping[str, int] | None = None,
    custom: bool = False,
) -> str:
    return refusal(op_view(op, inputs, [output], version=version, options=options, custom=custom))


SCALES = Quantization(scales=(1.0, 2.0), zero_points=(0, 0))
PER_CHANNEL = Tensor(
    name="", shape=(2, 4), dtype="int8", data=memoryview(bytes(8)), quantization=SCALES
)
VARYING = Tensor(name="", shape=(1, 1, 1, 3), shape_signature=(1, -1, -1, 3), dtype="int8")
BATCH_VARIES = Tensor(name="", shape=(1, 4, 4, 3), shape_signature=(-1, 4, 4, 3), dtype="int8")
PIXELS = image(1, 8, 8, 4)


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options"),
    [
        ("ADD", [PIXELS, PIXELS], PIXELS, {}),
        ("CONV_2D", [PIXELS, PER_CHANNEL, None], PIXELS, {}),
        ("FULLY_CONNECTED", [image(1, 4), constant(2, 4), None], image(1, 2), {}),
        ("QUANTIZE", [image(1, 4, dtype="uint8")], image(1, 4), {}),
        ("LOGISTIC", [BATCH_VARIES], BATCH_VARIES, {}),
        ("CONCATENATION", [PIXELS, constant(1, 8, 8, 1)], image(1, 8, 8, 5), {}),
        ("RESIZE_BILINEAR", [PIXELS, numbers(16, 16)], image(1, 16, 16, 4), {}),
        ("RESIZE_NEAREST_NEIGHBOR", [PIXELS, numbers(16, 16)], image(1, 16, 16, 4), {}),
        ("SOFTMAX", [image(1, 16000)], image(1, 16000), {}),
        ("MEAN", [PIXELS, numbers(1, 2)], image(1, 4), {}),
        ("MEAN", [PIXELS, numbers(-1)], image(1, 8, 8), {}),
        ("PAD", [PIXELS, numbers(0, 0, 1, 1, 1, 1, 0, 0)], image(1, 10, 10, 4), {}),
        ("SPLIT", [numbers(3), PIXELS], image(1, 8, 8, 2), {}),
        ("PACK", [image(1, 4), image(1, 4)], image(1, 2, 4), {"axis": 1}),
        ("STRIDED_SLICE", [PIXELS, numbers(0), numbers(1), numbers(1)], PIXELS, {}),
        ("TRANSPOSE_CONV", [numbers(1, 16, 16, 4), PER_CHANNEL, PIXELS], image(1, 16, 16, 4), {}),
        ("PRELU", [PIXELS, constant(1, 1, 4)], PIXELS, {}),
        ("TRANSPOSE", [image(1, 32, 32, 128), numbers(0, 3, 1, 2)], image(1, 128, 32, 32), {}),
        ("TILE", [image(1, 1, 1, 4), numbers(1, 8, 8, 1)], PIXELS, {}),
        ("TILE", [image(1, 1, 8, 4), numbers(1, 8, 1, 1)], PIXELS, {}),
    ],
)
def test_what_is_taken(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int]
) -> None:
    assert why(op, inputs, output, options=options) == ""


@pytest.mark.parametrize(
    ("op", "inputs", "output", "options", "words"),
    [
        ("HARD_SWISH", [PIXELS], PIXELS, {}, "no such operator"),
        ("ARG_MAX", [PIXELS, numbers(3)], image(1, dtype="int64"), {}, "no such operator"),
        ("ADD", [image(1, 4, dtype="float32")], PIXELS, {}, "works on float32"),
        ("ADD", [image(1, 4, dtype="int16")], PIXELS, {}, "works on int16"),
        ("DEQUANTIZE", [PIXELS], image(1, 4, dtype="float32"), {}, "no such operator"),
        ("LOGISTIC", [VARYING], VARYING, {}, "the shape of a tensor varies"),
        ("ADD", [image(2, 8, 8, 3)], PIXELS, {}, "the batch of 2 x 8 x 8 x 3 is not 1"),
        ("RESHAPE", [PIXELS], image(1, 2, 4, 8, 4), {}, "only the 3 innermost"),
        ("CONV_2D", [PIXELS, PIXELS], PIXELS, {}, "computed, not constant"),
        ("CONV_2D", [PIXELS, PER_CHANNEL], PIXELS, {"dilation_width": 2}, "dilation 2 x 1"),
        ("FULLY_CONNECTED", [PIXELS, PER_CHANNEL], image(1, 2), {}, "weights have 2 scales"),
        ("FULLY_CONNECTED", [PIXELS, constant(2, 4)], image(8, 2), {}, "more than one vector"),
        (
            "FULLY_CONNECTED",
            [image(1, 4), constant(2, 4)],
            image(1, 2),
            {"weights_format": 1},
            "shuffled",
        ),
        ("MAX_POOL_2D", [PIXELS], PIXELS, {"fused_activation": 1}, "fused activation"),
        ("CONCATENATION", [PIXELS, PIXELS, constant(1)], PIXELS, {}, "joins a constant"),
        ("CONCATENATION", [PIXELS, numbers(7)], PIXELS, {}, "joins a constant"),
        ("RESIZE_BILINEAR", [PIXELS, image(2, dtype="int8")], PIXELS, {}, "size is computed"),
        ("RESIZE_BILINEAR", [PIXELS, numbers(9, 9)], image(1, 512, 9, 4), {}, "sides above 256"),
        (
            "RESIZE_BILINEAR",
            [image(1, 1, 1, 4), numbers(33, 33)],
            image(1, 33, 33, 4),
            {},
            "it enlarges 1 to 33",
        ),
        ("SOFTMAX", [image(1, 8, 4)], image(1, 8, 4), {}, "more than one vector"),
        ("SOFTMAX", [image(1, 16001)], image(1, 16001), {}, "16,001 elements"),
        ("MEAN", [PIXELS, numbers(0)], image(8, 8, 4), {}, "reduces the batch"),
        ("MEAN", [image(1, 8, 8, 3), numbers(3)], image(1, 8, 8), {}, "not a multiple of 4"),
        ("SUM", [PIXELS, image(1)], PIXELS, {}, "axes are computed"),
        ("PAD", [PIXELS, numbers(1, 0, 0, 0)], PIXELS, {}, "pads the batch"),
        ("SPLIT", [numbers(0), PIXELS], PIXELS, {}, "splits the batch"),
        ("SPLIT", [image(1), PIXELS], PIXELS, {}, "axis is computed"),
        ("PACK", [image(4), image(4)], image(2, 4), {"axis": 0}, "packs a batch"),
        ("STRIDED_SLICE", [PIXELS, *[numbers(1)] * 2, numbers(2)], PIXELS, {}, "not all 1"),
        (
            "STRIDED_SLICE",
            [PIXELS, *[numbers(1)] * 3],
            PIXELS,
            {"new_axis_mask": 1},
            "a new axis",
        ),
        ("SLICE", [PIXELS, image(4), numbers(1)], PIXELS, {}, "computed, not constant"),
        ("TRANSPOSE_CONV", [image(4), PER_CHANNEL, PIXELS], PIXELS, {}, "computed, not constant"),
        (
            "TRANSPOSE",
            [image(1, 32, 32, 129), numbers(0, 3, 1, 2)],
            image(1, 129, 32, 32),
            {},
            "132,096 elements, more than 131,072 (estimate)",
        ),
        ("TRANSPOSE", [PIXELS, image(4)], PIXELS, {}, "computed, not constant"),
        ("TILE", [image(1, 4, 4, 4), numbers(1, 2, 2, 1)], PIXELS, {}, "1 x 4 x 4 x 4 that is not"),
        ("TILE", [PIXELS, image(4)], PIXELS, {}, "repeats is computed, not constant"),
        ("TILE", [image(1, 1, 1, 4), numbers(2, 8, 8, 1)], image(2, 8, 8, 4), {}, "batch of 2"),
        ("PRELU", [PIXELS, constant(8, 8, 4)], PIXELS, {}, "slopes differ"),
        ("PRELU", [PIXELS, PIXELS], PIXELS, {}, "slopes are computed"),
    ],
)
def test_what_is_refused_and_why(
    op: str, inputs: list[Tensor | None], output: Tensor, options: dict[str, int], words: str
) -> None:
    assert words in why(op, inputs, output, options=options)


def test_newer_versions_and_custom_operators_are_refused() -> None:
    inputs: list[Tensor | None] = [image(1, 4), constant(2, 4)]
    assert why("FULLY_CONNECTED", inputs, image(1, 2), version=9) == ""
    assert "version 12 is newer" in why("FULLY_CONNECTED", inputs, image(1, 2), version=12)
    assert why("ADD", [PIXELS], PIXELS, custom=True) == "custom operator"


def test_an_operator_without_inputs_outputs_or_constants_is_answered() -> None:
    """Whatever a file says, an answer and no exception."""
    for op in RULES:
        operator = Operator(op=op, version=1, custom=False, inputs=(), outputs=())
        for inputs in ((), (None, None, None, None), (image(),) * 4, (numbers(5, -9),) * 4):
            for outputs in ((), (image(),)):
                view = OpView(operator=operator, inputs=inputs, outputs=outputs)
                assert isinstance(refusal(view), str)


def targets(*steps: tuple[str, list[int], list[int]], tensors: int = 12) -> str:
    mapping = map_model(model([PIXELS] * tensors, steps))
    return "".join("T" if op.target == "edgetpu" else "c" for op in mapping.ops)


def test_what_follows_an_operator_on_the_cpu_stays_there() -> None:
    steps = [("RELU", [0], [1]), ("ELU", [1], [2]), ("RELU", [2], [3])]
    assert targets(*steps) == "Tcc"


def test_a_branch_goes_on_after_another_ended() -> None:
    steps = [
        ("RELU", [0], [1]),
        ("ELU", [1], [2]),
        ("TANH", [1], [3]),
        ("RELU", [3], [4]),
        ("ADD", [2, 4], [5]),
    ]
    assert targets(*steps) == "TcTTc"


def test_an_operator_on_the_cpu_may_come_first() -> None:
    """Such as the QUANTIZE of a float input: what is behind it is mapped all the same."""
    assert targets(("ELU", [0], [1]), ("RELU", [1], [2]), ("TANH", [2], [3])) == "cTT"
    assert targets(("ELU", [0], [1]), ("ELU", [1], [2])) == "cc"
    assert targets() == ""


def test_quantize_from_float_and_back_frame_what_is_mapped() -> None:
    floats = image(1, 8, 8, 4, dtype="float32")
    steps = [("QUANTIZE", [0], [1]), ("RELU", [1], [2]), ("DEQUANTIZE", [2], [3])]
    mapping = map_model(model([floats, PIXELS, PIXELS, floats], steps))
    assert [op.target for op in mapping.ops] == ["cpu", "edgetpu", "cpu"]
    assert mapping.ops[0].reason == "works on float32, not on int8 or uint8"
    assert remedies(mapping) == [
        "quantize it: integers from input to output (--precision int8 or uint8)"
    ]


@pytest.mark.parametrize(
    ("op", "tensors", "words"),
    [
        ("HARD_SWISH", [PIXELS, PIXELS], "use ReLU6"),
        ("RELU", [image(2, 8, 8, 4), PIXELS], "export it with a batch of 1"),
        ("FULLY_CONNECTED", [image(1, 4), image(1, 2), PER_CHANNEL], "--per-tensor-dense"),
        ("RESIZE_BILINEAR", [PIXELS, image(1, 512, 512, 4), numbers(512, 512)], "resize by 2"),
        (
            "TRANSPOSE",
            [image(1, 64, 64, 64), image(1, 64, 64, 64), numbers(0, 3, 1, 2)],
            "export it with channels last",
        ),
        ("RELU", [VARYING, VARYING], "export it with fixed shapes"),
        ("SUM", [PIXELS, image(8, 8, 4), numbers(0)], None),
    ],
)
def test_the_usual_offenders_have_a_remedy(
    op: str, tensors: list[Tensor], words: str | None
) -> None:
    constants = list(range(2, len(tensors)))
    texts = remedies(map_model(model(tensors, [(op, [0, *constants], [1])])))
    assert len(texts) == (0 if words is None else 1)
    assert words is None or words in texts[0]


def test_the_report_names_the_operator_to_blame_and_what_helps() -> None:
    steps = [("RELU", [0], [1]), ("HARD_SWISH", [1], [2]), ("RELU", [2], [3]), ("RELU", [3], [4])]
    graph = model([PIXELS] * 5, steps)
    assert ACCELERATOR.summary(map_model(graph)) == (
        "1 of 4 operators will be mapped to the Edge TPU; first left: 1 HARD_SWISH "
        "(the Edge TPU has no such operator)"
    )
    lines = ACCELERATOR.lines(graph)
    assert "      2-3  RELU                      cpu      supported, but a second subgraph" in lines
    assert any(line.startswith("what helps: use ReLU6") for line in lines)
    assert max(map(len, lines[1:5])) <= 80
    document = ACCELERATOR.to_json(graph)
    assert document["ops"][:2] == [  # type: ignore[index]
        {"op": "RELU", "index": 0, "target": "edgetpu", "reason": "supported"},
        {
            "op": "HARD_SWISH",
            "index": 1,
            "target": "cpu",
            "reason": "the Edge TPU has no such operator",
        },
    ]


def test_parameters_beyond_the_chip_are_streamed() -> None:
    weights = Tensor(
        name="", shape=(9, 2**20), dtype="int8", buffer=1, data=memoryview(bytes(9 * 2**20))
    )
    steps = [("CONV_2D", [0, 1], [2]), ("CONV_2D", [2, 1], [3]), ("ELU", [3], [4])]
    memory = map_model(model([PIXELS, weights, PIXELS, PIXELS, PIXELS], steps)).memory
    assert (memory.bytes, memory.streamed_bytes) == (9 * 2**20, 2**20)
    assert "1.00 MiB or more come from the host" in memory.text()
