"""More checks of an Edge TPU: its port, driver, udev rule and package."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.accelerators.accelerator import Accelerator, Device
from edgeinfer.device.accelerators.edgetpu.accelerator import USB_IDS
from edgeinfer.device.diagnose.doctor.device_access import access_fix
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.look import Look
from edgeinfer.device.diagnose.doctor.system import System, read_number, read_text

SUBJECT = "Edge TPU"
PCI_ID = (0x1AC1, 0x089A)
USB_3_MBIT_S = 5000
PACKAGES = ("libedgetpu1-std", "libedgetpu1-max")

_ADD_USB_RULE = (
    """run `printf 'SUBSYSTEM=="usb",ATTRS{idVendor}=="%s",GROUP="plugdev",MODE="0664"\\n' """
    """1a6e 18d1 | sudo tee /etc/udev/rules.d/60-edgetpu.rules`, """
    "then `sudo udevadm control --reload`, and plug it in again"
)


class EdgeTpuLook(Look):
    """The checks of an Edge TPU."""

    shared = False
    command = "sudo apt install libedgetpu1-std"

    def judge_devices(
        self, accelerator: Accelerator, devices: Sequence[Device], system: System
    ) -> list[Finding]:
        """Return for each device whether this user may use it and whether its driver is there."""
        return [judge_edgetpu(device, system) for device in devices] + judge_pcie(system)

    def judge_package(self, system: System, runtime: str) -> list[Finding]:
        """Compare libedgetpu's package with the runtime."""
        version = package_version(system)
        return judge_package(version, runtime) if version else []


LOOK = EdgeTpuLook()


def judge_edgetpu(device: Device, system: System) -> Finding:
    """Return whether this user may use an Edge TPU, and whether its port is fast."""
    name = device.name if device.node is None else f"{device.name}, {device.node}"
    on_usb = device.name.startswith("usb:")
    if not device.usable:
        fix = "plug it in again" if device.node is None else access_fix(device.node)
        if on_usb and not has_usb_rule(system):
            fix = _ADD_USB_RULE
        return broken(SUBJECT, f"{name}: permission denied", fix=fix)
    mbit_s = usb_speed(system, device.node) if on_usb and device.node is not None else None
    if mbit_s is not None and mbit_s < USB_3_MBIT_S:
        return note(
            SUBJECT,
            f"{name}: on USB 2 ({mbit_s} Mbit/s), which is slower",
            expected=f"USB 3 ({USB_3_MBIT_S} Mbit/s)",
            fix="plug it into a blue port, with the cable that came with it",
        )
    return ok(SUBJECT, name)


def usb_speed(system: System, node: Path) -> int | None:
    """Return the speed of the USB port of /dev/bus/usb/BUS/NUMBER, Mbit/s; None if unknown."""
    for folder in system.glob("/sys/bus/usb/devices/*"):
        bus, number = read_text(folder / "busnum"), read_text(folder / "devnum")
        if bus.zfill(3) == node.parent.name and number.zfill(3) == node.name:
            whole = read_text(folder / "speed").partition(".")[0]
            return int(whole) if whole.isdecimal() else None
    return None


def has_usb_rule(system: System) -> bool:
    """Return whether a udev rule names the USB Accelerator, so that its group may use it."""
    folders = ("/etc/udev/rules.d", "/lib/udev/rules.d", "/usr/lib/udev/rules.d")
    files = (path for folder in folders for path in system.glob(f"{folder}/*.rules"))
    vendors = {vendor for vendor, _ in USB_IDS}
    return any(vendors <= set(re.findall(r"[0-9a-f]{4}", read_text(path))) for path in files)


def judge_pcie(system: System) -> list[Finding]:
    """Return Edge TPUs on PCIe that have no driver, and so no /dev/apex_0."""
    if system.glob("/dev/apex_*"):
        return []
    return [
        broken(
            SUBJECT,
            f"PCIe {folder.name}: there is no /dev/apex_0, its driver is not loaded",
            fix="run `sudo apt install gasket-dkms`, then `sudo modprobe apex`",
        )
        for folder in system.glob("/sys/bus/pci/devices/*")
        if (read_number(folder / "vendor"), read_number(folder / "device")) == PCI_ID
    ]


def package_version(system: System, names: Sequence[str] = PACKAGES) -> str:
    """Return the version of the first of these Debian packages that is installed; else empty."""
    for entry in system.text("/var/lib/dpkg/status").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line)
        if fields.get("Package") in names and fields.get("Status", "").endswith(" installed"):
            return fields.get("Version", "")
    return ""


def judge_package(version: str, runtime: str) -> list[Finding]:
    """Compare the package of libedgetpu with the runtime, before a model crashes.

    Args:
        version: from dpkg: `16.0` is Google's own, built for TensorFlow 2.5; `16.0tf2.17.1-1`
            is built for 2.17.1. Source: debian/changelog of feranick/libedgetpu.
        runtime: name and version; all that edgeinfer runs with are 2.12 or newer.
    """
    built_for = re.search(r"tf(\d+)\.(\d+)", version)
    if built_for and (int(built_for[1]), int(built_for[2])) >= (2, 12):
        return []
    return [
        note(
            "libedgetpu",
            f"its package is version {version}, the runtime is {runtime}",
            expected="a version with tf2.12 or later in its name",
            fix="Google's libedgetpu crashes with runtimes from 2.12 on; install one that was "
            "built for this runtime: `sudo apt install ./libedgetpu1-std_*.deb`",
        )
    ]
