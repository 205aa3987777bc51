"""What of an accelerator is there: its library, its device, the right to use it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EDGETPU_USB_IDS = {("1a6e", "089a"), ("18d1", "9302")}
"""(vendor, product) of a Coral USB Accelerator: before it got its firmware, and after."""

DEVICE_NODES = {
    "vx": ("/dev/galcore",),
    "ethos-u": ("/dev/ethosu0",),
    "gpu": ("/dev/mali0", "/dev/kgsl-3d0", "/dev/dri/renderD128"),
}
"""What each delegate's driver shows; any one will do."""

GROUPS = {"edgetpu-usb": "plugdev", "edgetpu-pci": "apex", "gpu": "render"}
"""The group that may use a device, where distributions have one."""

_LIBRARY_FOLDERS = ("lib", "usr/lib", "usr/local/lib", "lib64", "usr/lib64")


@dataclass(frozen=True, kw_only=True)
class Device:
    """An accelerator that the system shows.

    Attributes:
        name: as libedgetpu takes it in its option `device` (`usb:0`, `pci:0`); else the node.
        kind: `edgetpu-usb`, `edgetpu-pci`, or the delegate's name.
        node: the device file; None where there is none.
        usable: whether this process may read and write it.
    """

    name: str
    kind: str
    node: Path | None
    usable: bool

    @property
    def group(self) -> str | None:
        """The group that may use it."""
        return GROUPS.get(self.kind)


def find_library(name: str, *, root: Path = Path("/")) -> Path | None:
    """Return where a library lies, as the dynamic loader would look for it; None for nowhere.

    Args:
        name: a path, or a file name.
        root: of the file system, for tests.
    """
    if "/" in name:
        path = Path(name)
        return path if path.is_file() else None
    for folder in _library_folders(root):
        path = folder / name
        if path.is_file():
            return path
    return None


def find_devices(delegate: str, *, root: Path = Path("/")) -> tuple[Device, ...] | None:
    """Return the devices that a known delegate could drive; None where they cannot be told.

    Args:
        delegate: a key of `KNOWN_DELEGATES`; of others nothing is known.
        root: of the file system, for tests.
    """
    if delegate == "edgetpu":
        return (*_edgetpu_usb(root), *_edgetpu_pci(root))
    if delegate not in DEVICE_NODES:
        return None
    nodes = (root / node.lstrip("/") for node in DEVICE_NODES[delegate])
    return tuple(
        Device(name=str(node), kind=delegate, node=node, usable=_usable(node))
        for node in nodes
        if node.exists()
    )


def _library_folders(root: Path) -> Iterator[Path]:
    for named in os.environ.get("LD_LIBRARY_PATH", "").split(":"):
        if os.path.isabs(named):  # a delegate's worker looks in no folder that depends on ours
            yield Path(named)
    configured = sorted((root / "etc/ld.so.conf.d").glob("*.conf"))
    for file in [root / "etc/ld.so.conf", *configured]:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            folder = line.partition("#")[0].strip()
            if folder.startswith("/"):
                yield root / folder.lstrip("/")
    triplet = _debian_triplet()
    for name in _LIBRARY_FOLDERS:
        yield root / name / triplet
        yield root / name


def _debian_triplet() -> str:
    names = {"armv7l": "arm-linux-gnueabihf", "armv6l": "arm-linux-gnueabihf"}
    machine = platform.machine()
    return names.get(machine, f"{machine}-linux-gnu")


def _edgetpu_usb(root: Path) -> Iterator[Device]:
    found = 0
    for folder in sorted((root / "sys/bus/usb/devices").glob("*")):
        ids = _text(folder / "idVendor"), _text(folder / "idProduct")
        if ids not in EDGETPU_USB_IDS:
            continue
        bus, number = _text(folder / "busnum"), _text(folder / "devnum")
        node = None
        if bus.isdigit() and number.isdigit():
            node = root / f"dev/bus/usb/{int(bus):03}/{int(number):03}"
        usable = node is not None and _usable(node)
        yield Device(name=f"usb:{found}", kind="edgetpu-usb", node=node, usable=usable)
        found += 1


def _edgetpu_pci(root: Path) -> Iterator[Device]:
    for found, node in enumerate(sorted((root / "dev").glob("apex_*"))):
        yield Device(name=f"pci:{found}", kind="edgetpu-pci", node=node, usable=_usable(node))


def _usable(node: Path) -> bool:
    return os.access(node, os.R_OK | os.W_OK)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip().lower()
    except OSError:
        return ""
