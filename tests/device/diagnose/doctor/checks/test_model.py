from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.checks.model import ModelCheck, judge_need, judge_variants
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from tests.device.tflite_examples import dense_model, encode

Write = Callable[[str, str], Path]


def found(system: System) -> dict[str, Finding]:
    return {finding.subject: finding for finding in ModelCheck().run(system)}


def test_a_bundle_is_verified(sample_bundle: Path, write: Write, tmp_path: Path) -> None:
    write("/proc/meminfo", "MemAvailable: 1000000 kB\n")
    findings = found(System(root=tmp_path / "root", model=sample_bundle))
    assert {finding.state for finding in findings.values()} == {"ok"}
    assert "10 golden frames verified" in findings["model"].got
    assert findings["variants"].got == "cpu"
    assert "976 MiB are available" in findings["its memory"].got


def test_nothing_installed_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    findings = found(System(root=tmp_path))
    if "model" not in findings or findings["model"].state == "ok":
        pytest.skip("a bundle is installed for this whole machine")
    assert findings["model"].state == "note"
    assert "--model" in findings["model"].fix


def test_a_damaged_bundle(sample_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.edgebundle"
    content = bytearray(sample_bundle.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    finding = found(System(root=tmp_path, model=path))[str(path)]
    assert finding.state == "broken"
    assert "copy it again" in finding.fix


def test_a_damaged_bundle_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "edgeinfer").mkdir()
    (tmp_path / "edgeinfer" / "a.edgebundle").write_bytes(b"PK")
    findings = found(System(root=tmp_path))
    assert [finding.state for finding in findings.values()] == ["broken"]


def test_a_model_of_an_unknown_task(tmp_path: Path) -> None:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    finding = found(System(root=tmp_path, model=path))[str(path)]
    assert finding.state == "broken"
    assert "input shape is (1, 4)" in finding.got


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.edgebundle"
    assert found(System(root=tmp_path, model=path))[str(path)].state == "broken"


def test_memory_that_is_too_little() -> None:
    assert [finding.state for finding in judge_need(200.0, 150)] == ["note"]
    assert [finding.state for finding in judge_need(200.0, 250)] == ["ok"]
    assert judge_need(0.0, 250) == []


def test_variants_and_accelerators() -> None:
    variants = {"cpu": None, "edgetpu": "edgetpu"}
    absent = {"edgetpu": False, "ethos-u": False}
    assert judge_variants(variants, {"edgetpu": True}).got == "cpu, edgetpu"
    assert judge_variants(variants, absent).got == "cpu, edgetpu (not for this machine)"
    unused = judge_variants({"cpu": None}, {"edgetpu": True})
    assert unused.state == "note"
    assert "--board coral-usb" in unused.fix
