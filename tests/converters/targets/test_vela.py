"""Starting vela: found or not, failing, killed, slow, or writing something else. No vela needed."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.converters.targets import ethos_u as npu
from edgeinfer.converters.targets import vela
from edgeinfer.converters.targets.ethos_u import TARGET
from edgeinfer.converters.targets.target import Draft, TargetOptions
from edgeinfer.converters.targets.vela import (
    ACCELERATORS,
    VELA_VARIABLE,
    Compiled,
    compile_with_vela,
    find_vela,
)
from edgeinfer.converters.targets.vela_report import parse_report
from edgeinfer.device.core.errors import ConversionError, MissingExtraError, UsageError
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.converters.targets.test_vela_report import LAYERS, OUTPUT, summary
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.device.one_operator import one_operator_model
from tests.device.tflite_examples import (
    dense_model,
    encode,
    graph,
    operator,
    operator_code,
    quantization,
    tensor,
)

MODEL = encode(dense_model())


def program(folder: Path, code: str) -> Path:
    """A vela made of a few lines of Python."""
    path = folder / "vela"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time, pathlib\n{code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def compiled_by(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Compiled:
    monkeypatch.setenv(VELA_VARIABLE, str(program(folder, code)))
    return compile_with_vela(MODEL, "ethos-u65-256", subject="a model")


def test_it_is_found_by_name_or_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VELA_VARIABLE, raising=False)
    assert find_vela() == path
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(VELA_VARIABLE, str(path))
    assert find_vela() == path


def test_where_it_is_absent_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VELA_VARIABLE, raising=False)
    with pytest.raises(MissingExtraError) as raised:
        find_vela()
    assert str(raised.value).startswith("vela: is not installed, expected vela, Arm's compiler")
    assert "pip install ethos-u-vela" in str(raised.value)
    assert "must not replace TensorFlow's" in str(raised.value)
    monkeypatch.setenv(VELA_VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(MissingExtraError, match="absent: EDGEINFER_VELA does not name a program"):
        find_vela()


def test_what_it_writes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"""
if sys.argv[1] == "--version":
    print("5.2.0")
    sys.exit()
out = pathlib.Path("out")
out.mkdir()
(out / "model_summary_X.csv").write_text({summary()!r})
(out / "model_per-layer.csv").write_text({LAYERS!r})
(out / "model_vela.tflite").write_bytes(pathlib.Path("model.tflite").read_bytes() + b"!")
(out / "arguments").write_text(repr(sys.argv[1:]))
print({OUTPUT!r})
"""
    compiled = compiled_by(code, tmp_path, monkeypatch)
    assert compiled.model == MODEL + b"!"
    assert compiled.version == "5.2.0"
    assert compiled.report == parse_report(summary(), LAYERS, OUTPUT)
    assert (compiled.summary_csv, compiled.layers_csv) == (summary(), LAYERS)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit(3)", "a model: vela cannot compile it (ended with code 3)"),
        ("1 / 0", "a model: vela cannot compile it (ZeroDivisionError: division by zero)"),
        ("os.kill(os.getpid(), 9)", "a model: vela was killed by SIGKILL"),
        ("os.kill(os.getpid(), 11)", "a model: vela was killed by SIGSEGV"),
        ("", "a model: vela wrote 0 files named model_summary_*.csv, expected one"),
        ("time.sleep(3600)", "a model: vela did not end within 1 s"),
    ],
)
def test_every_failure_is_a_sentence(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sleep" in code:
        monkeypatch.setattr(vela, "TIMEOUT_S", 1.0)
    with pytest.raises(ConversionError) as raised:
        compiled_by(code, tmp_path, monkeypatch)
    assert str(raised.value).startswith(words)


def test_a_program_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "")
    path.write_text("#!/absent/python\n")
    monkeypatch.setenv(VELA_VARIABLE, str(path))
    with pytest.raises(ConversionError, match="vela: cannot be started"):
        compile_with_vela(MODEL, "ethos-u65-256", subject="a model")


def test_a_model_with_floats_is_refused_before_vela_starts() -> None:
    model = one_operator_model("RELU", [("float32", [1, 4])], [("float32", [1, 4])])
    with pytest.raises(ConversionError, match="has floating-point tensors"):
        compile_with_vela(model, "ethos-u65-256", subject="a model")


def test_a_precision_that_no_npu_has_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VELA_VARIABLE, str(program(tmp_path, "")))
    for precision in ("int8", "uint8", "int16x8"):
        TARGET.require_tools(NINE, precision)
    with pytest.raises(UsageError, match="does not work with --precision float16, expected one of"):
        TARGET.require_tools(NINE, "float16")


def compiled_model(scale: float = 0.25) -> bytes:
    """A model as vela leaves it, with the ends of the example bundle's."""
    model: Any = dense_model()
    model[1] = [operator_code("CUSTOM", custom="ethos-u")]
    tensors = graph(model)[0]
    tensors[0] = tensor("renamed", [1, 2, 2, 3], quantization=quantization([0.5], [-1]))
    tensors[3] = tensor("out", [1, 2], quantization=quantization([scale], [0]))
    tensors.append(tensor("scratch", [64], "uint8"))
    graph(model)[3] = [operator([1, 2, 4, 4, 0], [3])]
    return encode(model)


def compiled(model: bytes) -> Compiled:
    return Compiled(
        model=model,
        report=parse_report(summary(), LAYERS, OUTPUT),
        summary_csv=summary(),
        layers_csv=LAYERS,
        version="5.2.0",
    )


NINE = TargetOptions(configuration="ethos-u65-256")


def with_npu(
    before: ModelManifest, configuration: str = NINE.configuration
) -> tuple[ModelManifest, dict[str, bytes]]:
    draft = Draft(manifest=before, members=MEMBERS, float32=b"", samples=())
    draft = TARGET.with_variant(draft, replace(NINE, configuration=configuration))
    return draft.manifest, dict(draft.members)


@pytest.fixture
def vela_makes(monkeypatch: pytest.MonkeyPatch) -> Any:
    def makes(model: bytes) -> None:
        monkeypatch.setattr(npu, "compile_with_vela", lambda *_, **__: compiled(model))

    return makes


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_the_variant_borrows_the_cpus_golden_outputs(accelerator: Any, vela_makes: Any) -> None:
    vela_makes(compiled_model())
    before = manifest()
    after, members = with_npu(before, accelerator)
    cpu, variant = after.variants["cpu"], after.variants[accelerator]
    assert cpu == before.variants["cpu"]
    assert variant == replace(
        cpu,
        file=f"variants/{accelerator}.tflite",
        delegate="ethos-u",
        input=replace(cpu.input, name="renamed"),
    )
    assert members[variant.file] == compiled_model()
    assert after.provenance["convert.ethos-u-vela"] == "5.2.0"


def test_metrics_and_report_hold_velas_estimates(vela_makes: Any) -> None:
    vela_makes(compiled_model())
    after, members = with_npu(manifest())
    assert after.metrics == {
        "test.int8.top1": 0.5,
        "size.ethos-u65-256.bytes": len(compiled_model()),
        "vela.ethos-u65-256.cycles": 87157.0,
        "vela.ethos-u65-256.inferences_per_second": 11473.5,
        "vela.ethos-u65-256.operators_on_cpu": 2.0,
        "vela.ethos-u65-256.sram_kib": 63.25,
        "vela.ethos-u65-256.dram_kib": 80.5,
        "vela.ethos-u65-256.on_chip_flash_kib": 0.0,
        "vela.ethos-u65-256.off_chip_flash_kib": 1.75,
    }
    assert json.loads(members["report/metrics.json"]) == after.metrics
    report = json.loads(members["report/vela.ethos-u65-256.json"])
    assert report["fallbacks"][0]["op"] == "RESIZE_BILINEAR"
    assert members["report/vela.ethos-u65-256.layers.csv"] == LAYERS.encode()
    assert members["report/vela.ethos-u65-256.summary.csv"] == summary().encode()


def test_a_person_reads_the_estimates_and_what_stays_on_the_cpu(
    vela_makes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vela_makes(compiled_model())
    path = tmp_path / "npu.edgebundle"
    after = write_bundle(path, *with_npu(manifest()))
    assert TARGET.lines(path, after) == [
        "ethos-u65-256: 11,473.5 inferences/s, 63.2 KiB SRAM by vela's own estimate, not measured "
        "(Ethos_U65_Client_Server, Dedicated_Sram_384KB, 1000 MHz)",
        "  on the CPU, not counted: RESIZE_BILINEAR 'up,sampled': "
        "Scaling matches and operation has unsupported scale-factor=16",
        "  on the CPU, not counted: Softmax '\"answer': vela gives no reason",
    ]
    monkeypatch.setattr(npu, "_FALLBACKS_SHOWN", 1)
    assert TARGET.lines(path, after)[2:] == ["  and 1 more"]
    assert TARGET.lines(path, manifest()) == []


def test_a_model_that_stays_on_the_cpu_is_refused_with_the_reason(vela_makes: Any) -> None:
    vela_makes(MODEL)
    with pytest.raises(ConversionError) as raised:
        with_npu(manifest())
    assert "left every operator to the CPU (Scaling matches and" in str(raised.value)


def test_other_inputs_or_outputs_are_refused(vela_makes: Any) -> None:
    vela_makes(compiled_model(scale=0.5))
    with pytest.raises(ConversionError, match="vela changed its inputs and outputs to"):
        with_npu(manifest())
