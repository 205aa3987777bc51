"""Libraries that are broken for real: what a child process imports is broken, and it is asked."""

from __future__ import annotations

import pytest

from edgeinfer.device.diagnose.doctor.checks.libraries import (
    LibrariesCheck,
    judge_kernels,
    judge_opencv,
)
from edgeinfer.device.diagnose.doctor.child import ChildEnd
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from tests.device.diagnose.doctor.conftest import BreakPackage


def found() -> dict[str, Finding]:
    return {finding.subject: finding for finding in LibrariesCheck().run(System())}


def test_what_the_tests_run_with_is_in_order() -> None:
    findings = found()
    assert {finding.state for finding in findings.values()} == {"ok"}
    assert findings["preprocessing"].got.startswith("native, ")


def test_numpy_that_does_not_import(break_package: BreakPackage) -> None:
    break_package("numpy", "raise ImportError('numpy.core.multiarray failed to import')")
    findings = found()
    assert list(findings) == ["numpy"]
    assert findings["numpy"].state == "broken"
    assert "multiarray failed to import" in findings["numpy"].got


def test_numpy_that_crashes(break_package: BreakPackage) -> None:
    break_package("numpy", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert found()["numpy"].got == "does not work (it crashed with SIGILL)"


def test_opencv_without_a_desktops_library(break_package: BreakPackage) -> None:
    break_package("cv2", "import ctypes; ctypes.CDLL('libGLnowhere.so.1')")
    finding = found()["OpenCV"]
    assert finding.state == "broken"
    assert finding.got == "needs libGLnowhere.so.1, which belongs to a desktop"
    assert "opencv-python-headless" in finding.fix


def test_opencv_without_another_library(break_package: BreakPackage) -> None:
    break_package("cv2", "import ctypes; ctypes.CDLL('libnowhere.so.9')")
    finding = found()["OpenCV"]
    assert finding.got == "needs libnowhere.so.9, which is missing"
    assert "libnowhere.so.9" in finding.fix


def test_opencv_that_is_not_installed(break_package: BreakPackage) -> None:
    break_package("cv2", "raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')")
    assert found()["OpenCV"].got == "is not installed"


def test_two_packages_of_opencv() -> None:
    works = ChildEnd(code=0, facts={"version": "4.11.0", "shape": [8, 8, 3]})
    one, two = judge_opencv(works, ("opencv-python", "opencv-python-headless"))
    assert one.state == "ok"
    assert two.state == "note"
    assert "pip uninstall -y opencv-python opencv-python-headless`" in two.fix


def test_the_native_preprocessing_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEINFER_NATIVE", "0")
    finding = found()["preprocessing"]
    assert finding.state == "note"
    assert "unset EDGEINFER_NATIVE" in finding.fix


def test_the_native_preprocessing_absent_or_damaged() -> None:
    absent = ChildEnd(code=0, facts={"path": None, "instruction_set": None})
    assert judge_kernels(absent, turned_off=False).state == "note"
    damaged = ChildEnd(code=1, stderr="OSError: invalid ELF header")
    finding = judge_kernels(damaged, turned_off=False)
    assert finding.state == "broken"
    assert "invalid ELF header" in finding.got
