from __future__ import annotations

import pytest

from edgeinfer.device.diagnose.doctor.checks.runtimes import RuntimesCheck, judge_runtime
from edgeinfer.device.diagnose.doctor.child import ChildEnd
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.diagnose.doctor.tiny_model import TINY_OUTPUT, tiny_model
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.device.diagnose.doctor.conftest import BreakPackage
from tests.device.tflite_examples import dense_model, encode


def found() -> dict[str, Finding]:
    return {finding.subject: finding for finding in RuntimesCheck().run(System())}


def test_the_tiny_model_is_what_its_source_says() -> None:
    assert tiny_model() == encode(dense_model())


def test_every_installed_runtime_runs_it() -> None:
    findings = found()
    assert set(findings) == set(installed_runtimes())
    assert {finding.state for finding in findings.values()} == {"ok"}


def test_the_runtime_in_use_does_not_load(break_package: BreakPackage) -> None:
    first, *others = installed_runtimes()
    break_package(first.replace("-", "_"), "raise ImportError('undefined symbol: tflite')")
    findings = found()
    assert findings[first].state == "broken"
    assert "undefined symbol" in findings[first].got
    assert f"--force-reinstall {first}" in findings[first].fix
    assert all(findings[other].state == "ok" for other in others)


def test_the_runtime_in_use_crashes(break_package: BreakPackage) -> None:
    first = installed_runtimes()[0]
    break_package(first.replace("-", "_"), "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert found()[first].got == "does not work (it crashed with SIGILL)"


def test_another_runtime_than_the_one_in_use(break_package: BreakPackage) -> None:
    if len(installed_runtimes()) < 2:
        pytest.skip("one runtime is installed: this test needs two")
    other = installed_runtimes()[1]
    break_package(other.replace("-", "_"), "raise ImportError('undefined symbol: tflite')")
    assert found()[other].state == "note"


def test_a_runtime_that_is_asked_for_and_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEINFER_RUNTIME", "tensorrt")
    finding = found()["runtime"]
    assert finding.state == "broken"
    assert finding.got == "tensorrt is not installed"


def test_numpy_that_breaks_all(break_package: BreakPackage) -> None:
    break_package("numpy", "raise ImportError('gone')")
    findings = found()
    assert list(findings) == ["runtime"]
    assert "numpy" in findings["runtime"].fix


def test_numpy_2_under_tflite_runtime() -> None:
    """tests/system/test_doctor.py has the real one."""
    error = {
        "subject": "a tiny model",
        "got": "tflite-runtime 2.14.0 cannot load it (this runtime was built against numpy 1)",
        "expected": "",
        "next_step": "run `pip install 'numpy<2'`",
    }
    end = ChildEnd(code=1, facts={"numpy": "2.2.6", "error": error})
    finding = judge_runtime("tflite-runtime", end, chosen=True)
    assert finding.state == "broken"
    assert "numpy here is 2.2.6" in finding.got
    assert "'numpy<2'" in finding.fix


def test_a_runtime_that_computes_something_else() -> None:
    end = ChildEnd(code=0, facts={"description": "x", "answer": [[0, 0]]})
    finding = judge_runtime("tflite-runtime", end, chosen=True)
    assert (finding.state, finding.expected) == ("broken", str(TINY_OUTPUT))
