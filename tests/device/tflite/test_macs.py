"""Multiply-accumulates against naive loops' counts and against published figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.tflite.macs import macs_by_operator, model_macs, operator_macs
from edgeinfer.device.tflite.model import Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.graph_examples import constant, image, model


def macs_of(op: str, tensors: list[Tensor]) -> int:
    """The last tensor is the output."""
    last = len(tensors) - 1
    return model_macs(model(tensors, [(op, range(last), [last])]))


@pytest.mark.parametrize(
    ("op", "tensors", "macs"),
    [
        # 5 x 6 places, 8 filters of 3 x 3 over 4 channels.
        ("CONV_2D", [image(1, 5, 6, 4), constant(8, 3, 3, 4), image(1, 5, 6, 8)], 30 * 8 * 9 * 4),
        # The same in 2 groups: each filter sees 2 channels.
        ("CONV_2D", [image(1, 5, 6, 4), constant(8, 3, 3, 2), image(1, 5, 6, 8)], 30 * 8 * 9 * 2),
        # Stride 2: fewer places.
        ("CONV_2D", [image(2, 4, 4, 3), constant(8, 1, 1, 3), image(2, 2, 2, 8)], 2 * 4 * 8 * 3),
        (
            "DEPTHWISE_CONV_2D",
            [image(1, 5, 6, 4), constant(1, 3, 3, 8), image(1, 5, 6, 8)],
            30 * 8 * 9,
        ),
        # Each of 3 x 3 x 4 input values goes into 2 x 2 places of 5 channels.
        (
            "TRANSPOSE_CONV",
            [constant(4), constant(5, 2, 2, 4), image(1, 3, 3, 4), image(1, 6, 6, 5)],
            36 * 4 * 5,
        ),
        ("FULLY_CONNECTED", [image(3, 7), constant(2, 7), image(3, 2)], 3 * 2 * 7),
        # (2, 3, 4) x (2, 4, 5), and the first one given as (2, 4, 3), to be transposed.
        ("BATCH_MATMUL", [image(2, 3, 4), image(2, 4, 5), image(2, 3, 5)], 2 * 3 * 5 * 4),
        ("BATCH_MATMUL", [image(2, 4, 3), image(2, 4, 5), image(2, 3, 5)], 2 * 3 * 5 * 4),
        ("ADD", [image(1, 4), image(1, 4), image(1, 4)], 0),
        ("AVERAGE_POOL_2D", [image(1, 4, 4, 2), image(1, 2, 2, 2)], 0),
        ("edgetpu-custom-op", [image(1, 4, 4, 2), image(1, 2, 2, 2)], 0),
    ],
)
def test_operators(op: str, tensors: list[Tensor], macs: int) -> None:
    assert macs_of(op, tensors) == macs


@pytest.mark.parametrize(
    ("op", "tensors"),
    [
        ("CONV_2D", [image(1, 5, 6, 4), image(1, 5, 6, 8)]),
        ("CONV_2D", [image(1, 5, 6, 4), constant(8, 9), image(1, 5, 6, 8)]),
        ("TRANSPOSE_CONV", [constant(4), constant(5, 2, 2, 4), image(1, 6, 6, 5)]),
        ("FULLY_CONNECTED", [image(3, 7), constant(14), image(3, 2)]),
        ("BATCH_MATMUL", [image(3), image(3), image(1)]),
        ("BATCH_MATMUL", [image(3, 2), image(2, 0), image(0, 0)]),
        # Never read from a file: a size that was not checked, with more digits than print.
        ("FULLY_CONNECTED", [image(1, 2), constant(2, 2), image(*[2**31] * 999, dtype="string")]),
    ],
)
def test_operands_that_do_not_fit_count_nothing(op: str, tensors: list[Tensor]) -> None:
    assert macs_of(op, tensors) == 0


def test_an_operator_without_output_counts_nothing() -> None:
    assert model_macs(model([image(1, 2), constant(2, 2)], [("FULLY_CONNECTED", [0, 1], [])])) == 0


def test_the_sums_by_operator_add_up() -> None:
    tensors = [image(1, 4), constant(8, 4), image(1, 8), constant(2, 8), image(1, 2)]
    steps = [("FULLY_CONNECTED", [0, 1, -1], [2]), ("FULLY_CONNECTED", [2, 3], [4])]
    found = model(tensors, [*steps, ("SOFTMAX", [4], [4])])
    graph = found.subgraphs[0]
    assert [operator_macs(graph, operator) for operator in graph.operators] == [32, 16, 0]
    assert macs_by_operator(found) == {("FULLY_CONNECTED", 1): 48}


def read(path: Path) -> TfliteModel:
    return read_tflite(path.read_bytes(), subject=path.name)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        # Sandler et al. 2018, arXiv:1801.04381, table 4: 300 M, 3.4 M parameters.
        ("coral/mobilenet_v2_1.0_224_quant.tflite", 300),
        ("coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", 300),
        # Howard et al. 2017 and the table of pretrained MobileNets: 14 M and 77 M.
        ("coral/mobilenet_v1_0.25_128_quant.tflite", 14),
        ("coral/mobilenet_v1_0.5_160_quant.tflite", 77),
        # Banbury et al. 2021, arXiv:2106.07597: 12.5 M.
        ("mlperf_tiny/pretrainedResnet_quant.tflite", 12.5),
    ],
)
def test_published_figures(shared_data: Path, name: str, millions: float) -> None:
    # The published figures are rounded to whole millions.
    assert model_macs(read(shared_data / name)) / 1e6 == pytest.approx(millions, abs=0.8)
