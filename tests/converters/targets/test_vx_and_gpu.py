"""The variants for VX and GPU, on small models of a few operators."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.targets.delegate import NOTHING, SAME_FILE
from edgeinfer.converters.targets.gpu import FLOAT16_STEP, gpu_tolerance
from edgeinfer.converters.targets.gpu import TARGET as GPU
from edgeinfer.converters.targets.target import Draft, TargetOptions
from edgeinfer.converters.targets.targets import Targets, target_json, target_lines, with_targets
from edgeinfer.converters.targets.vx import TARGET as VX
from edgeinfer.converters.targets.vx import VX_TOLERANCE_STEPS
from edgeinfer.device.accelerators.report import WIDTH
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.runtime.runner import Runner
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.common.listening import Listening
from tests.converters.targets.test_edgetpu import chain
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    tensor,
)

PLUS = TargetOptions(board="imx8mp")
MAPPED = chain(operator_code("RELU"))
HALF = chain(operator_code("RELU"), operator_code("ZEROS_LIKE"))
NOT_MAPPED = chain(operator_code("ZEROS_LIKE"))


def float_model() -> bytes:
    """A dense layer from the example bundle's pixels to its two classes, and a TANH."""
    weights = np.linspace(-0.3, 0.4, 1200, dtype=np.float32).reshape(2, 600)[:, :12].copy()
    model: TableNode = {
        0: Number("I", 3),
        1: [operator_code("FULLY_CONNECTED"), operator_code("TANH")],
        2: [
            {
                0: [
                    tensor("in", [1, 2, 2, 3], "float32"),
                    tensor("weights", [2, 12], "float32", buffer=1),
                    tensor("sum", [1, 2], "float32"),
                    tensor("out", [1, 2], "float32"),
                ],
                1: Numbers("i", [0]),
                2: Numbers("i", [3]),
                3: [
                    operator([0, 1, -1], [2]) | {3: Number("B", 8), 4: {}},
                    operator([2], [3], code=1),
                ],
            }
        ],
        4: [{}, {0: weights.tobytes()}],
    }
    return encode(model)


def written(tmp_path: Path, made: Draft) -> tuple[Path, ModelManifest]:
    out = tmp_path / "out.edgebundle"
    return out, write_bundle(out, made.manifest, dict(made.members))


def draft(model: bytes, float32: bytes = b"", samples: Sequence[Sample] = ()) -> Draft:
    members = with_model(model)
    return Draft(manifest=manifest(), members=members, float32=float32, samples=samples)


def with_model(model: bytes) -> dict[str, bytes]:
    return MEMBERS | {"variants/cpu.tflite": model}


def with_vx(model: bytes) -> Draft:
    return VX.with_variant(draft(model), PLUS)


def with_gpu(float32: bytes, samples: list[Sample]) -> Draft:
    return GPU.with_variant(draft(MAPPED, float32, samples), TargetOptions())


def test_the_vx_variant_is_the_cpus_file_stored_once(tmp_path: Path) -> None:
    out, bundle = written(tmp_path, with_vx(MAPPED))
    vx, cpu = bundle.variants["vx"], bundle.variants["cpu"]
    assert (vx.file, vx.delegate, vx.golden_outputs) == (cpu.file, "vx", cpu.golden_outputs)
    assert vx.output_tolerance == max(0.5, VX_TOLERANCE_STEPS * 0.25)
    assert [name for name in bundle.members if name.startswith("variants/")] == [cpu.file]
    figures = [bundle.metrics[f"vx.{name}"] for name in ("mapped", "operators", "partitions")]
    assert figures == [1, 1, 1]
    assert bundle.provenance["vx"] == SAME_FILE
    report = VX.report(out, bundle)
    assert report is not None
    assert report["ops"] == [{"op": "RELU", "index": 0, "target": "vx", "reason": "supported"}]
    with open_bundle(out) as opened:
        assert json.loads(opened.member("report/metrics.json")) == bundle.metrics


def test_what_the_npu_leaves_is_reported(tmp_path: Path) -> None:
    out, bundle = written(tmp_path, with_vx(HALF))
    first, last = VX.lines(out, bundle)
    assert first.startswith("imx8mp: 1 of 2 operators will run on the NPU (VX delegate), in 1 part")
    assert "first left: 1 ZEROS_LIKE" in first
    assert last == f"  {SAME_FILE}; predicted, not run on the hardware"
    wrapped = target_lines(out, bundle)
    assert max(map(len, wrapped)) <= WIDTH
    assert set(target_json(out, bundle)) == {"vx"}


def test_a_model_of_which_the_npu_takes_nothing_gets_no_variant(tmp_path: Path) -> None:
    out, bundle = written(tmp_path, with_vx(NOT_MAPPED))
    assert set(bundle.variants) == {"cpu"}
    assert bundle.provenance["vx"] == NOTHING
    assert NOTHING in VX.lines(out, bundle)[-1]


@pytest.mark.parametrize(("share", "passes"), [(0, True), (50, True), (50.1, False)])
def test_a_share_is_required(share: float, passes: bool) -> None:
    options = replace(PLUS, require_percent=share)
    if passes:
        VX.require_mapped(HALF, options, subject="x")
        return
    with pytest.raises(ConversionError) as raised:
        VX.require_mapped(HALF, options, subject="x")
    assert "1 of 2 operators, 50.0 %, go to the NPU (VX delegate)" in str(raised.value)
    assert "first left: 1 ZEROS_LIKE" in str(raised.value)


@pytest.fixture
def frames(tmp_path: Path) -> list[Sample]:
    pytest.importorskip("ai_edge_quantizer", reason="float16 needs the host extra")
    generator = np.random.default_rng(3)
    samples = []
    for index in range(3):
        path = tmp_path / f"{index}.png"
        write_atomically(path, encode_png(generator.integers(0, 255, (2, 2, 3)).astype(np.uint8)))
        samples.append(Sample(source=str(path), target=index % 2))
    return samples


def test_the_gpu_variant_is_float16_with_its_own_golden_outputs(
    frames: list[Sample], tmp_path: Path
) -> None:
    made = with_gpu(float_model(), frames)
    out, bundle = written(tmp_path, made)
    gpu = bundle.variants["gpu"]
    assert (gpu.delegate, gpu.precision, gpu.input.dtype) == ("gpu", "float16", "float32")
    assert set(gpu.golden_outputs) == {"builtin", "xnnpack"}
    with open_bundle(out) as opened:
        content = opened.member(gpu.file)
        golden = np.frombuffer(opened.member(gpu.golden_outputs["builtin"]), "<f4").reshape(3, 2)
        inputs = np.frombuffer(opened.member(gpu.golden_input), "<f4").reshape(3, 1, 2, 2, 3)
    assert bundle.metrics["size.gpu.bytes"] == len(content) == bundle.members[gpu.file].bytes
    graph = read_tflite(content, subject="x")
    assert [op for op, _ in graph.op_counts].count("DEQUANTIZE") == 1
    float32 = Runner(float_model(), subject="x", runtime="ai-edge-litert")
    exact = np.concatenate([float32.invoke([values])[0] for values in inputs])
    assert 0 < np.abs(exact - golden).max() < gpu.output_tolerance
    assert bundle.metrics["gpu.mapped"] == bundle.metrics["gpu.operators"] == 3
    assert "  a separate float16 file; predicted" in GPU.lines(out, bundle)[-1]


def test_the_gpus_tolerance_grows_with_the_operators() -> None:
    assert gpu_tolerance(100, 8.0) == 100 * FLOAT16_STEP * 8.0
    assert gpu_tolerance(1, 8.0) == pytest.approx(0.08)


def test_all_targets_together(frames: list[Sample], tmp_path: Path) -> None:
    progress = Listening()
    wanted = Targets(wanted={"vx": PLUS, "gpu": TargetOptions()})
    made = with_targets(draft(MAPPED, float_model(), frames), wanted, progress)
    out, bundle = written(tmp_path, made)
    assert set(bundle.variants) == {"cpu", "vx", "gpu"}
    assert progress.told == ["map to the NPU", "make the GPU's variant"]
    assert set(target_json(out, bundle)) == {"vx", "gpu"}


def test_a_model_that_cannot_be_made_float16(frames: list[Sample]) -> None:
    with pytest.raises(ConversionError, match="ai-edge-quantizer cannot quantize it"):
        with_gpu(b"TFL3", frames)
