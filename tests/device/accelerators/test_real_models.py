"""Every operator of real models gets an answer from every accelerator."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.accelerators.edgetpu.mapping import map_model
from edgeinfer.device.accelerators.gpu.rules import map_gpu
from edgeinfer.device.accelerators.mapping import OpMapping
from edgeinfer.device.accelerators.registry import OWN, answer_json, answer_lines
from edgeinfer.device.accelerators.vx.rules import map_vx
from edgeinfer.device.cli.boards.table import board_fits, fits_lines
from edgeinfer.device.diagnose.inspect.description import describe_file
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

MAPPINGS = {"edgetpu": map_model, "vx": map_vx, "gpu": map_gpu}


def read(path: Path) -> TfliteModel:
    return read_tflite(path.read_bytes(), subject=path.name)


@pytest.mark.parametrize("target", sorted(MAPPINGS))
def test_each_has_a_target_and_a_reason(target: str, shared_data: Path) -> None:
    paths = [p for name in ("coral", "mlperf_tiny") for p in (shared_data / name).glob("*.tflite")]
    assert len(paths) > 12
    for path in paths:
        model = read(path)
        mapping: OpMapping = MAPPINGS[target](model)
        operators = model.subgraphs[0].operators
        assert [op.op for op in mapping.ops] == [operator.op for operator in operators]
        assert [op.index for op in mapping.ops] == list(range(len(operators)))
        assert {op.target for op in mapping.ops} <= {target, "cpu"}
        assert all(op.reason for op in mapping.ops), path.name


def test_all_of_it_reads_well_in_80_columns(shared_data: Path) -> None:
    for path in (shared_data / "coral").glob("*.tflite"):
        for accelerator in ("", *OWN):
            for line in answer_lines(accelerator, read(path)):
                assert len(line) <= 80, line
        table = fits_lines(board_fits(describe_file(path)))
        assert max(map(len, table)) <= 80
        assert all(answer_json(name, read(path))["ops"] for name in OWN)


@pytest.mark.parametrize(
    ("name", "vx", "gpu"),
    [
        ("coral/tf2_mobilenet_v2_1.0_224_ptq.tflite", (68, 68), (68, 68)),
        ("coral/deeplabv3_mnv2_dm05_pascal_quant.tflite", (71, 72), (71, 72)),
        ("coral/posenet_mobilenet_v1_075_353_481_16_quant_decoder.tflite", (37, 38), (37, 38)),
        ("coral/model_invoking_error.tflite", (0, 1), (0, 1)),
        ("mlperf_tiny/pretrainedResnet.tflite", (16, 16), (16, 16)),
    ],
)
def test_how_much_is_taken(
    name: str, vx: tuple[int, int], gpu: tuple[int, int], shared_data: Path
) -> None:
    model = read(shared_data / name)
    for mapping, expected in ((map_vx(model), vx), (map_gpu(model), gpu)):
        assert (mapping.mapped, len(mapping.ops)) == expected
        assert mapping.partitions == int(mapping.mapped > 0)
