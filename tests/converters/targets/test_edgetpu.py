"""The Edge TPU gate. The compiler here is a stand-in: a script that copies a prepared file."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.quantize.quantize import QuantizeOptions
from edgeinfer.converters.targets.edgetpu import EDGETPU_TOLERANCE_STEPS, READY, TARGET
from edgeinfer.converters.targets.required_share import parse_percent
from edgeinfer.converters.targets.target import Draft, TargetOptions
from edgeinfer.converters.targets.targets import Targets
from edgeinfer.device.core.errors import ConversionError, UsageError
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    encode,
    operator,
    operator_code,
    quantization,
    tensor,
)
from tests.support.program import edgeinfer_here, error_line

USB = TargetOptions(board="coral-usb")
ALL = TargetOptions(board="coral-usb", require_percent=100)
TABLE = """Edge TPU Compiler version 16.0.384591198
Operator Count Status
CUSTOM 1 Mapped to Edge TPU
"""


def chain(*codes: TableNode, outputs: int = 2) -> bytes:
    """Operators one after another, from the example bundle's input to its output."""
    last = tensor("out", [1, outputs], quantization=quantization([0.25], [0]))
    first = tensor("in", [1, 2, 2, 3], quantization=quantization([0.5], [-1]))
    step = quantization([0.25], [0])
    between = [tensor(f"t{i}", [1, 2], quantization=step) for i in range(1, len(codes))]
    model: TableNode = {
        0: Number("I", 3),
        1: list(codes),
        2: [
            {
                0: [first, *between, last],
                1: Numbers("i", [0]),
                2: Numbers("i", [len(codes)]),
                3: [operator([i], [i + 1], code=i) for i in range(len(codes))],
            }
        ],
        4: [{}],
    }
    return encode(model)


MAPPED = chain(operator_code("RELU"))
HALF = chain(operator_code("RELU"), operator_code("HARD_SWISH"))
NOTHING = chain(operator_code("HARD_SWISH"))
COMPILED = chain(operator_code("CUSTOM", custom="edgetpu-custom-op"))


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the search path: `compiled.tflite` and `log` there are the answer."""
    (tmp_path / "compiled.tflite").write_bytes(COMPILED)
    (tmp_path / "log").write_text(TABLE.replace("CUSTOM", "RELU"))
    program = tmp_path / "edgetpu_compiler"
    program.write_text(
        f"#!/bin/sh\n/bin/cat {tmp_path}/log\n"
        f'/bin/cp {tmp_path}/compiled.tflite "$3/model_edgetpu.tflite"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def converted(
    model: bytes, tmp_path: Path, options: TargetOptions = USB
) -> tuple[Path, ModelManifest]:
    members = MEMBERS | {"variants/cpu.tflite": model}
    draft = Draft(manifest=manifest(), members=members, float32=b"", samples=())
    draft = TARGET.with_variant(draft, options)
    out = tmp_path / "out.edgebundle"
    return out, write_bundle(out, draft.manifest, dict(draft.members))


@pytest.mark.usefixtures("no_compiler")
def test_without_the_compiler_the_variant_is_ready_to_compile(tmp_path: Path) -> None:
    out, written = converted(HALF, tmp_path)
    assert set(written.variants) == {"cpu"}
    assert written.provenance["edgetpu"] == READY
    assert (written.metrics["edgetpu.mapped"], written.metrics["edgetpu.operators"]) == (1, 2)
    report = TARGET.report(out, written)
    assert report is not None
    assert report["ops"][1] == {  # type: ignore[index]
        "op": "HARD_SWISH",
        "index": 1,
        "target": "cpu",
        "reason": "the Edge TPU has no such operator",
    }
    lines = "\n".join(TARGET.lines(out, written))
    assert lines.startswith(
        "coral-usb: 1 of 2 operators will be mapped to the Edge TPU; first left"
    )
    for words in ("what helps: use ReLU6", "ready to compile", "Debian package", "not on PyPI"):
        assert words in lines
    with open_bundle(out) as opened:
        assert json.loads(opened.member("report/metrics.json")) == written.metrics


def test_with_the_compiler_the_bundle_has_its_variant(compiler: Path, tmp_path: Path) -> None:
    out, written = converted(MAPPED, tmp_path, ALL)
    variant, cpu = written.variants["edgetpu"], written.variants["cpu"]
    assert (variant.delegate, variant.file) == ("edgetpu", "variants/edgetpu.tflite")
    assert variant.golden_outputs == cpu.golden_outputs
    assert variant.output_tolerance == max(0.5, EDGETPU_TOLERANCE_STEPS * 0.25)
    assert written.provenance["edgetpu"] == "compiled by version 16.0.384591198"
    with open_bundle(out) as opened:
        assert opened.member(variant.file) == COMPILED
    lines = TARGET.lines(out, written)
    assert lines[-1] == "  compiled by version 16.0.384591198"
    assert not any("differs" in line for line in lines)


def test_the_compilers_log_counts_where_the_prediction_differs(
    compiler: Path, tmp_path: Path
) -> None:
    (compiler / "log").write_text(
        "Operator Count Status\nRELU 1 Operation is otherwise supported, but not mapped\n"
    )
    out, written = converted(MAPPED, tmp_path)
    assert written.metrics["edgetpu.mapped"] == 0
    assert "  the compiler differs: RELU: 0 mapped, 1 predicted" in TARGET.lines(out, written)
    with pytest.raises(ConversionError, match=r"0 of 1 operators, 0\.0 %.*expected at least 100 %"):
        converted(MAPPED, tmp_path, ALL)


def test_a_model_of_which_nothing_is_mapped_is_not_compiled(compiler: Path, tmp_path: Path) -> None:
    (compiler / "edgetpu_compiler").write_text("#!/bin/sh\nexit 1\n")
    _, written = converted(NOTHING, tmp_path)
    assert written.provenance["edgetpu"] == "nothing to map"


@pytest.mark.parametrize(
    ("compiled", "words"),
    [
        (MAPPED, "without its operator"),
        (
            chain(operator_code("CUSTOM", custom="edgetpu-custom-op"), outputs=3),
            r"compiled output is int8 \(1, 3\)",
        ),
    ],
)
def test_another_model_than_was_given_is_refused(
    compiled: bytes, words: str, compiler: Path, tmp_path: Path
) -> None:
    (compiler / "compiled.tflite").write_bytes(compiled)
    with pytest.raises(ConversionError, match=words):
        converted(MAPPED, tmp_path)


@pytest.mark.parametrize(("share", "passes"), [(0, True), (50, True), (50.1, False), (100, False)])
def test_a_share_is_required(share: float, passes: bool) -> None:
    options = replace(USB, require_percent=share)
    if passes:
        TARGET.require_mapped(HALF, options, subject="x")
        return
    with pytest.raises(ConversionError) as raised:
        TARGET.require_mapped(HALF, options, subject="x")
    assert "first left: 1 HARD_SWISH" in str(raised.value)
    assert "use ReLU6" in raised.value.next_step


def test_a_bundle_without_an_edge_tpu_variant_has_no_lines(tmp_path: Path) -> None:
    out = tmp_path / "plain.edgebundle"
    written = write_bundle(out, manifest(), MEMBERS | {"variants/cpu.tflite": MAPPED})
    assert TARGET.lines(out, written) == []


@pytest.mark.parametrize(
    ("text", "value"), [("100%", 100), ("100", 100), ("0%", 0), (" 99.5% ", 99.5)]
)
def test_percentages(text: str, value: float) -> None:
    assert parse_percent(text) == value


@pytest.mark.parametrize("text", ["", "%", "all", "101%", "-1", "nan", "inf", "50%%"])
def test_a_text_that_is_not_a_percentage_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a percentage, expected 0% to 100%"):
        parse_percent(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--board", "coral"), "is not a known board, expected one of coral-dev, coral-dev-mini"),
        (("--board", "coral-usb", "--require-mapped", "most"), "is not a percentage"),
        (("--require-mapped", "100%"), "--require-mapped: given without a board"),
    ],
)
def test_wrong_usage_is_reported_before_any_work(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    assert words in error_line(edgeinfer_here("convert", tmp_path, *arguments), code=2)


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_a_trained_model_is_mapped_in_full(trained_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.edgebundle"
    options = ("--board", "coral-usb", "--require-mapped", "100%", "--no-install", "--json")
    sizes = ("--calibration-images", "20", "--golden-frames", "2")
    environment = {"PATH": str(tmp_path)}
    finished = edgeinfer_here(
        "convert", trained_folder, "-o", out, *options, *sizes, env=environment
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(finished.stdout)["edgetpu"]
    assert report["mapped"] == report["total"] > 0
    refused = tmp_path / "refused.edgebundle"
    dynamic = ConvertOptions(
        calibration_images=20,
        quantize=QuantizeOptions(precision="dynamic"),
        targets=Targets(wanted={"edgetpu": ALL}),
    )
    with pytest.raises(ConversionError, match="expected at least 100 %; quantize it"):
        convert(
            TrainedRun(folder=trained_folder),
            refused,
            dynamic,
            Silent(),
        )
    assert not refused.exists()
