"""vela itself on real models: the report says what its files say, and the bundle carries both."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from edgeinfer.converters.targets.ethos_u import TARGET
from edgeinfer.converters.targets.target import Draft, TargetOptions
from edgeinfer.converters.targets.vela import (
    ACCELERATORS,
    VELA_VARIABLE,
    Accelerator,
    compile_with_vela,
)
from edgeinfer.converters.targets.vela_report import VelaLayer, VelaReport
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite.outside_examples import outside
from tests.support.program import edgeinfer
from tests.system.vela import cached_vela

pytestmark = pytest.mark.system

OURS = "fashion-mnist"
OTHERS = ("mlperf_tiny/pretrainedResnet_quant.tflite", "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite")


@pytest.fixture(scope="module")
def vela() -> Path:
    return cached_vela()


@pytest.fixture(autouse=True)
def named(vela: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VELA_VARIABLE, str(vela))


@pytest.fixture(params=[OURS, *OTHERS])
def model(request: pytest.FixtureRequest, sample_bundle: Path) -> bytes:
    if request.param == OURS:
        with open_bundle(sample_bundle) as bundle:
            return bundle.member("variants/cpu.tflite")
    shared = Path(request.getfixturevalue("shared_data"))
    return (shared / str(request.param)).read_bytes()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_the_report_equals_velas_own_files(
    model: bytes, accelerator: Accelerator, vela: Path, tmp_path: Path
) -> None:
    # vela started by hand, as its own documentation has it, not through what is tested.
    (tmp_path / "by-hand.tflite").write_bytes(model)
    command = [
        str(vela),
        "by-hand.tflite",
        "--accelerator-config",
        accelerator,
        "--verbose-performance",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (summary_file,) = (tmp_path / "output").glob("by-hand_summary_*.csv")
    (row,) = table(summary_file.read_text())
    layers = table((tmp_path / "output" / "by-hand_per-layer.csv").read_text())

    compiled = compile_with_vela(model, accelerator, subject="a model")
    assert compiled.version == "5.2.0"
    assert compiled.model == (tmp_path / "output" / "by-hand_vela.tflite").read_bytes()
    assert compiled.report == VelaReport(
        accelerator=accelerator.replace("-", "_").replace("ethos_u", "Ethos_U"),
        system_config=row["system_config"],
        memory_mode=row["memory_mode"],
        core_clock_hz=float(row["core_clock"]),
        inferences_per_second=float(row["inferences_per_second"]),
        inference_time_s=float(row["inference_time"]),
        cycles=int(row["cycles_total"]),
        npu_cycles=int(row["cycles_npu"]),
        sram_kib=float(row["sram_memory_used"]),
        dram_kib=float(row["dram_memory_used"]),
        on_chip_flash_kib=float(row["on_chip_flash_memory_used"]),
        off_chip_flash_kib=float(row["off_chip_flash_memory_used"]),
        macs=int(row["nn_macs"]),
        layers=tuple(
            VelaLayer(
                op=layer["Original Operator"],
                npu_op=layer["NNG Operator"],
                target=layer["Target"],
                staging_bytes=int(layer["Staging Usage"]),
                cycles=int(layer["Op Cycles"]),
                macs=int(layer["MAC Count"]),
                mac_utilization_percent=float(layer["Util% (MAC)"]),
                name=layer["Name"],
            )
            for layer in layers
        ),
        fallbacks=(),
    )
    assert "CPU operators = 0 (0.0%)" in done.stdout
    # Ours counts no pooling and no softmax, which are at most one in a hundred here.
    macs = model_macs(read_tflite(model, subject="a model"))
    assert 0.99 * compiled.report.macs < macs <= compiled.report.macs


def test_an_operator_that_stays_on_the_cpu_and_why(shared_data: Path) -> None:
    model = (shared_data / "coral" / "deeplabv3_mnv2_dm05_pascal_quant.tflite").read_bytes()
    report = compile_with_vela(model, "ethos-u65-256", subject="deeplab").report
    (fallback,) = report.fallbacks
    assert (fallback.op, fallback.output) == ("RESIZE_BILINEAR", "ResizeBilinear_2")
    assert fallback.reason == "Scaling matches and operation has unsupported scale-factor=16"
    assert "Scale-factor needs to be one of: 2x/4x/8x" in fallback.constraint


def test_weights_outside_of_the_flatbuffer_are_compiled_to_the_same(model: bytes) -> None:
    inside = compile_with_vela(model, "ethos-u65-256", subject="a model")
    moved = compile_with_vela(outside(model), "ethos-u65-256", subject="a model")
    assert moved.model == inside.model
    assert moved.report == inside.report


def test_what_vela_cannot_compile_is_a_sentence(shared_data: Path) -> None:
    model = (shared_data / "coral" / "model_invoking_error.tflite").read_bytes()
    with pytest.raises(ConversionError, match=r"^a model: ") as raised:
        compile_with_vela(model, "ethos-u65-256", subject="a model")
    assert "Traceback" not in str(raised.value)


def test_a_bundle_with_a_variant_for_the_npu(sample_bundle: Path, tmp_path: Path) -> None:
    with open_bundle(sample_bundle) as bundle:
        members = {name: bundle.member(name) for name in bundle.manifest.members}
        draft = Draft(manifest=bundle.manifest, members=members, float32=b"", samples=())
        draft = TARGET.with_variant(draft, TargetOptions(configuration="ethos-u65-256"))
    path = tmp_path / "npu.edgebundle"
    manifest = draft.manifest
    write_bundle(path, manifest, dict(draft.members))
    with open_bundle(path) as bundle:
        report = json.loads(bundle.member("report/vela.ethos-u65-256.json"))
        (row,) = table(bundle.member("report/vela.ethos-u65-256.summary.csv").decode())
        layers = table(bundle.member("report/vela.ethos-u65-256.layers.csv").decode())
        assert json.loads(bundle.member("report/metrics.json")) == bundle.manifest.metrics
    assert manifest.metrics["vela.ethos-u65-256.cycles"] == float(row["cycles_total"])
    assert report["inferences_per_second"] == float(row["inferences_per_second"])
    assert len(report["layers"]) == len(layers)
    (line,) = TARGET.lines(path, manifest)
    assert line.startswith(
        "ethos-u65-256: 11,473.5 inferences/s, 63.3 KiB SRAM by vela's own estimate"
    )

    for command in ("verify", "inspect"):
        done = edgeinfer(command, path, "--json")
        assert done.returncode == 0, done.stderr
    variant = json.loads(done.stdout)["variants"]["ethos-u65-256"]
    assert variant["needs_delegate"] == "ethos-u"
    assert [item["op"] for item in variant["operators"]] == ["ethos-u"]
