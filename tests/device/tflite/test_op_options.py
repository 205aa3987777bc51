"""Options of operators: those that are there, defaults, other kinds."""

from __future__ import annotations

import pytest

from edgeinfer.device.tflite.flatbuffer import FlatBuffer, FlatbufferError
from edgeinfer.device.tflite.op_options import LATER_UNIONS, read_later_options, read_options
from tests.device.tflite_examples import Number, TableNode, encode


def options_of(op: str, union: int, options: TableNode) -> dict[str, int]:
    table = FlatBuffer(encode({0: options})).root().table(0)
    return read_options(op, union, table)


POOL: TableNode = {field: Number("i", 1) for field in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("op", "union", "options", "expected"),
    [
        (
            "FULLY_CONNECTED",
            8,
            {1: Number("b", 1), 2: Number("?", 1)},
            {"weights_format": 1, "keep_num_dims": 1},
        ),
        ("ADD", 11, {0: Number("b", 3)}, {"fused_activation": 3}),
        ("SOFTMAX", 9, {0: Number("f", 1.0)}, {"beta_bits": 0x3F800000}),
        ("BATCH_MATMUL", 101, {1: Number("?", 1)}, {"adj_x": 0, "adj_y": 1}),
        (
            "CONV_3D",
            106,
            {field: Number("i", field) for field in range(1, 4)}
            | {field: Number("i", field) for field in (5, 6, 7)},
            {"dilation_depth": 5, "dilation_width": 6, "dilation_height": 7},
        ),
        ("MIRROR_PAD", 77, {0: Number("b", 1)}, {"mode": 1}),
        ("SPACE_TO_DEPTH", 19, {0: Number("i", 2)}, {"block_size": 2}),
        ("DEPTH_TO_SPACE", 94, {0: Number("i", 2)}, {"block_size": 2}),
        ("LSTM", 14, {3: Number("b", 1)}, {"kernel_type": 1}),
        (
            "RESIZE_BILINEAR",
            15,
            {2: Number("?", 1)},
            {"align_corners": 1, "half_pixel_centers": 0},
        ),
        ("CONCATENATION", 10, {0: Number("i", 3), 1: Number("b", 1)}, {"fused_activation": 1}),
        ("CONCATENATION", 10, {}, {"fused_activation": 0}),
        ("CONCATENATION", 8, {1: Number("b", 1)}, {"fused_activation": 0}),
        ("MAX_POOL_2D", 5, POOL | {5: Number("b", 3)}, {"fused_activation": 3}),
        ("PACK", 59, {0: Number("i", 2), 1: Number("i", -1)}, {"axis": -1}),
        (
            "STRIDED_SLICE",
            32,
            {2: Number("i", 1), 3: Number("i", 2), 4: Number("i", 4)},
            {"ellipsis_mask": 1, "new_axis_mask": 2, "shrink_axis_mask": 4},
        ),
        (
            "DEPTHWISE_CONV_2D",
            2,
            {1: Number("i", 1), 2: Number("i", 1), 6: Number("i", 4)},
            {"depth_multiplier": 0, "dilation_width": 1, "dilation_height": 4},
        ),
        (
            "CONV_2D",
            1,
            {1: Number("i", 1), 2: Number("i", 1), 4: Number("i", 2)},
            {"dilation_width": 2, "dilation_height": 1},
        ),
        ("RELU", 0, {}, {}),
    ],
)
def test_options_are_read(
    op: str, union: int, options: TableNode, expected: dict[str, int]
) -> None:
    assert options_of(op, union, options) == expected


def test_later_options_are_read() -> None:
    table = FlatBuffer(encode({0: {1: Number("i", 2)}})).root().table(0)
    assert read_later_options("STABLEHLO_COMPOSITE", 21, table) == {"decomposition_graph": 2}


@pytest.mark.parametrize("op", LATER_UNIONS)
def test_an_operator_without_the_options_that_its_kernel_reads_is_refused(op: str) -> None:
    with pytest.raises(FlatbufferError, match=f"{op} has no options of its kind"):
        read_later_options(op, 0, None)
