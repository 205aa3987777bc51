"""Cameras on a Raspberry Pi's ribbon cable (CSI), which need libcamera and Picamera2."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.diagnose.doctor.checks.python import sees_system_packages
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, ok
from edgeinfer.device.diagnose.doctor.system import System

_SENSORS = ("unicam", "rp1-cfe")
"""Drivers with a sensor's raw data: V4L2 programs cannot use such a node as a camera."""
_PROCESSORS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpivid", "rpi-hevc", "hevc")
"""Decoders, encoders and scalers of the Raspberry Pi, which are video devices too."""

_SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"


def is_internal(name: str) -> bool:
    """Return whether a video device is a part of the chip, which gives no camera pictures."""
    return name.startswith((*_SENSORS, *_PROCESSORS))


def judge_csi(system: System, names: Sequence[str]) -> list[Finding]:
    """Return whether Picamera2 can be used, if a camera is on the ribbon cable.

    Args:
        system: the machine.
        names: the drivers' names for the video devices.
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
    """Return what importing libcamera and Picamera2 showed.

    Args:
        end: how the import ended.
        installed: whether the system's Python has both.
        visible: whether this environment sees the system's packages.
    """
    subject = "Picamera2"
    if end.code == 0:
        return ok(subject, "works in this environment")
    if not installed:
        return broken(
            subject,
            "a camera is on the ribbon cable, but Picamera2 is not installed",
            fix="run `sudo apt install python3-picamera2`",
        )
    if not visible:
        return broken(
            subject,
            "is installed for the system's Python, which this environment cannot use",
            expected="an environment with the system's packages",
            fix="make it again with `python3 -m venv --system-site-packages edgeinfer` and "
            "install edgeinfer into that",
        )
    return broken(
        subject,
        f"is installed, but cannot be imported ({end.reason})",
        expected="the Python that the system's packages are made for",
        fix="make the environment with `/usr/bin/python3 -m venv --system-site-packages edgeinfer`",
    )
