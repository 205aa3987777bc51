"""Cameras on the ribbon cable: no Raspberry Pi is here, so its files are made up.

The import is the real one, of what this environment has or has not.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.checks.csi import is_internal, judge_csi, judge_picamera2
from edgeinfer.device.diagnose.doctor.child import ChildEnd
from edgeinfer.device.diagnose.doctor.system import System
from tests.device.diagnose.doctor.conftest import BreakPackage

Write = Callable[[str, str], Path]

ABSENT = ChildEnd(code=1, stderr="ModuleNotFoundError: No module named 'libcamera'")


def test_without_a_sensor_nothing_is_said(tmp_path: Path) -> None:
    assert judge_csi(System(root=tmp_path), ["USB Camera", "bcm2835-codec-decode"]) == []


@pytest.mark.skipif(
    importlib.util.find_spec("picamera2") is not None, reason="Picamera2 is installed here"
)
def test_a_sensor_without_picamera2(write: Write, tmp_path: Path) -> None:
    system = System(root=tmp_path / "root")
    (finding,) = judge_csi(system, ["unicam-image"])
    assert finding.state == "broken"
    assert finding.fix == "run `sudo apt install python3-picamera2`"
    for package in ("libcamera", "picamera2"):
        write(f"/usr/lib/python3/dist-packages/{package}/__init__.py", "")
    (finding,) = judge_csi(system, ["rp1-cfe-csi2_ch0"])
    assert "cannot use" in finding.got
    assert "--system-site-packages" in finding.fix


def test_picamera2_that_imports(break_package: BreakPackage, tmp_path: Path) -> None:
    break_package("libcamera", "")
    break_package("picamera2", "")
    (finding,) = judge_csi(System(root=tmp_path), ["unicam-image"])
    assert finding.state == "ok"


def test_picamera2_of_another_python() -> None:
    finding = judge_picamera2(ABSENT, installed=True, visible=True)
    assert finding.state == "broken"
    assert "/usr/bin/python3" in finding.fix


def test_which_devices_are_inside_the_chip() -> None:
    assert is_internal("unicam-image")
    assert is_internal("pispbe-input")
    assert not is_internal("HD Pro Webcam C920")
    assert not is_internal("")
