"""Which Edge TPUs are connected, as /sys and /dev tell.

USB and PCI numbers: 1a6e:089a is the USB Accelerator before its firmware is loaded, which the first
use does; 18d1:9302 afterwards; 1ac1:089a on PCIe and M.2. Source: google-coral/libedgetpu.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.doctor.system import System, read_number, read_text

USB_IDS = (("1a6e", "089a"), ("18d1", "9302"))
PCI_ID = (0x1AC1, 0x089A)
USB_3_MBIT_S = 5000


@dataclass(frozen=True, kw_only=True)
class EdgeTpu:
    """A connected Edge TPU.

    Attributes:
        name: where it is, for people.
        node: the device through which it is used; None where the kernel has no driver for it.
        usb_mbit_s: how fast the USB port is; None on PCIe.
    """

    name: str
    node: Path | None
    usb_mbit_s: int | None = None


def find_edgetpus(system: System) -> list[EdgeTpu]:
    """Return the Edge TPUs on USB, then those on PCIe."""
    return _on_usb(system) + _on_pcie(system)


def has_usb_rule(system: System) -> bool:
    """True where a udev rule names the USB Accelerator, so that its group may use it."""
    folders = ("/etc/udev/rules.d", "/lib/udev/rules.d", "/usr/lib/udev/rules.d")
    files = (path for folder in folders for path in system.glob(f"{folder}/*.rules"))
    return any(USB_IDS[0][0] in read_text(path) for path in files)


def _on_usb(system: System) -> list[EdgeTpu]:
    found = []
    for folder in system.glob("/sys/bus/usb/devices/*"):
        if (read_text(folder / "idVendor"), read_text(folder / "idProduct")) not in USB_IDS:
            continue
        bus, number = read_number_10(folder / "busnum"), read_number_10(folder / "devnum")
        found.append(
            EdgeTpu(
                name=f"USB {folder.name}",
                node=system.path(f"/dev/bus/usb/{bus:03d}/{number:03d}"),
                usb_mbit_s=read_number_10(folder / "speed"),
            )
        )
    return found


def _on_pcie(system: System) -> list[EdgeTpu]:
    nodes = system.glob("/dev/apex_*")
    if nodes:
        return [EdgeTpu(name=f"PCIe {node.name}", node=node) for node in nodes]
    return [
        EdgeTpu(name=f"PCIe {folder.name}", node=None)
        for folder in system.glob("/sys/bus/pci/devices/*")
        if (read_number(folder / "vendor"), read_number(folder / "device")) == PCI_ID
    ]


def read_number_10(path: Path) -> int:
    """Return the whole number at the start of a file; 0 where there is none."""
    digits = read_text(path).partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
