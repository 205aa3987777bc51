"""Cameras on a Raspberry Pi's ribbon cable (CSI): they are used through libcamera and Picamera2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.diagnose.doctor.checks.python import sees_system_packages
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, ok
from edgeinfer.device.diagnose.doctor.system import System

_SENSORS = ("unicam", "rp1-cfe")
"""Drivers that show a sensor's raw data: such a node is no camera for V4L2 programs."""
_PROCESSORS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpivid", "rpi-hevc", "hevc")
"""Decoders, encoders and scalers of the Raspberry Pi, which are video devices too."""

_SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"


def is_internal(name: str) -> bool:
    """True for a video device of the chip itself, from which no camera's pictures come."""
    return name.startswith((*_SENSORS, *_PROCESSORS))


def judge_csi(system: System, names: Sequence[str]) -> list[Finding]:
    """Say whether Picamera2 can be used, where a camera is on the ribbon cable.

    Args:
        system: the machine.
        names: what the drivers call the video devices.
    """
    if not any(name.startswith(_SENSORS) for name in names):
        return []
    end = run_probe("picamera2", timeout_s=system.timeout_s)
    installed = [
        package
        for package in ("libcamera", "picamera2")
        if system.path(f"{_SYSTEM_PACKAGES}/{package}").is_dir()
    ]
    virtual = sys.prefix != sys.base_prefix
    visible = not virtual or sees_system_packages(Path(sys.prefix))
    return [judge_picamera2(end, installed=len(installed) == 2, visible=visible)]


def judge_picamera2(end: ChildEnd, *, installed: bool, visible: bool) -> Finding:
    """Say what importing libcamera and Picamera2 showed.

    Args:
        end: how the import ended.
        installed: whether the system's Python has both.
        visible: whether this environment sees the system's packages.
    """
    subject = "Picamera2"
    if end.code == 0:
        return ok(subject, "is visible to this environment")
    if not installed:
        return broken(
            subject,
            "a camera is on the ribbon cable, but Picamera2 is not installed",
            fix="run `sudo apt install python3-picamera2`",
        )
    if not visible:
        return broken(
            subject,
            "is installed for the system's Python, which this environment does not see",
            expected="an environment with the system's packages",
            fix="make it again with `python3 -m venv --system-site-packages edgeinfer` and "
            "install edgeinfer into that",
        )
    return broken(
        subject,
        f"is installed, but does not import ({end.reason})",
        expected="the Python that the system's packages are made for",
        fix="make the environment with `/usr/bin/python3 -m venv --system-site-packages edgeinfer`",
    )
