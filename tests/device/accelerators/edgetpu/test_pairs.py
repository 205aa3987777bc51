"""The prediction against what the real compiler made of real models."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edgeinfer.device.accelerators.edgetpu.mapping import map_model
from edgeinfer.device.tflite.compiled_ops import EDGETPU_OP
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

SUFFIX = "_edgetpu.tflite"


def read(path: Path) -> TfliteModel:
    return read_tflite(path.read_bytes(), subject=path.name)


def test_the_ops_left_on_the_cpu_are_those_of_every_pair(shared_data: Path) -> None:
    compiled = sorted((shared_data / "coral").glob(f"*{SUFFIX}"))
    assert compiled, "no compiled models"
    different = {}
    for path in compiled:
        source = path.with_name(path.name.removesuffix(SUFFIX) + ".tflite")
        real = Counter(o.op for o in read(path).subgraphs[0].operators if o.op != EDGETPU_OP)
        predicted = map_model(read(source)).cpu_ops
        if predicted != real:
            different[source.name] = (predicted, real)
    assert not different


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
