"""The prediction against what the real compiler made of real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.accelerators.edgetpu.mapping import map_model
from edgeinfer.device.tflite.compiled_ops import EDGETPU_OP
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.accelerators.edgetpu.operator_lists import read_list

SUFFIX = "_edgetpu.tflite"


def read(path: Path) -> TfliteModel:
    return read_tflite(path.read_bytes(), subject=path.name)


def left(model: TfliteModel, keep: list[bool]) -> list[tuple[str, list[tuple[str, object]]]]:
    """Return the operators that are kept, each with the names and shapes of its outputs."""
    graph = model.subgraphs[0]
    return [
        (op.op, [(graph.tensors[i].name, graph.tensors[i].shape) for i in op.outputs])
        for op, kept in zip(graph.operators, keep, strict=True)
        if kept
    ]


def test_what_stays_on_the_cpu_is_the_same_operator_by_operator(shared_data: Path) -> None:
    """In every pair: not only as many of a kind, but the operators that write the same tensors."""
    compiled = sorted((shared_data / "coral").glob(f"*{SUFFIX}"))
    assert compiled, "no compiled models"
    for path in compiled:
        source = read(path.with_name(path.name.removesuffix(SUFFIX) + ".tflite"))
        made = read(path)
        real = left(made, [op.op != EDGETPU_OP for op in made.subgraphs[0].operators])
        assert left(source, [op.target == "cpu" for op in map_model(source).ops]) == real, path


@pytest.mark.parametrize(
    ("name", "on_cpu", "first"),
    [
        ("yolov8n_full_integer_quant", 24, 215),
        ("deeplab_mobilenet_edgetpu_slim_cityscapes_quant", 2, 82),
    ],
)
def test_lists_of_what_the_compiler_did(
    name: str, on_cpu: int, first: int, shared_data: Path
) -> None:
    path = shared_data.parent / "cases" / "edgetpu" / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is absent: this test needs the compiler's lists")
    model, real = read_list(path)
    mapping = map_model(model)
    assert [op.target for op in mapping.ops] == real
    assert real.count("cpu") == on_cpu
    assert mapping.first_left is not None
    assert mapping.first_left.index == first
    assert "(estimate)" in mapping.first_left.reason


@pytest.mark.parametrize(
    ("name", "mapped", "first"),
    [
        ("deeplabv3_mnv2_dm05_pascal_quant.tflite", 64, "RESIZE_BILINEAR"),
        ("posenet_mobilenet_v1_075_353_481_16_quant_decoder.tflite", 37, "PosenetDecoderOp"),
        ("tf2_mobilenet_v2_1.0_224_ptq.tflite", 68, None),
        ("model_invoking_error.tflite", 0, "fake-op-double"),
    ],
)
def test_how_much_is_mapped_and_what_ends_it(
    name: str, mapped: int, first: str | None, shared_data: Path
) -> None:
    mapping = map_model(read(shared_data / "coral" / name))
    assert mapping.mapped == mapped
    assert (mapping.first_left.op if mapping.first_left else None) == first


def test_a_compiled_model_is_recognized(shared_data: Path) -> None:
    mapping = map_model(
        read(shared_data / "coral" / "deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite")
    )
    assert mapping.compiled
    assert [op.target for op in mapping.ops[:2]] == ["edgetpu", "cpu"]
