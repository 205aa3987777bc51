"""Which accelerators are there, in a file system made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.accelerators.registry import named_accelerator


def usb(root: Path, port: str, vendor: str, product: str, *, node: bool = True) -> None:
    folder = root / "sys/bus/usb/devices" / port
    folder.mkdir(parents=True)
    number = len(list(folder.parent.iterdir()))
    values = {"idVendor": vendor, "idProduct": product, "busnum": "2", "devnum": str(number)}
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    if node:
        file = root / f"dev/bus/usb/002/{number:03}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_edgetpus_are_found_by_their_usb_numbers_and_device_files(tmp_path: Path) -> None:
    assert named_accelerator("edgetpu").devices(tmp_path) == ()
    usb(tmp_path, "1-1", "046d", "c077")
    usb(tmp_path, "2-1", "1a6e", "089a")
    usb(tmp_path, "2-2", "18d1", "9302", node=False)
    (tmp_path / "dev/apex_0").touch()
    found = named_accelerator("edgetpu").devices(tmp_path)
    assert found is not None
    assert [device.name for device in found] == ["usb:0", "usb:1", "pci:0"]
    assert [device.usable for device in found] == [True, False, True]
    assert [device.group for device in found] == ["plugdev", "plugdev", "apex"]


@pytest.mark.parametrize(
    ("delegate", "node"), [("vx", "dev/galcore"), ("ethos-u", "dev/ethosu0"), ("gpu", "dev/mali0")]
)
def test_npus_are_found_by_their_device_files(tmp_path: Path, delegate: str, node: str) -> None:
    assert named_accelerator(delegate).devices(tmp_path) == ()
    (tmp_path / "dev").mkdir()
    (tmp_path / node).touch()
    found = named_accelerator(delegate).devices(tmp_path)
    assert found is not None
    assert [device.node for device in found] == [tmp_path / node]
