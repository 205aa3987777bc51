"""What of an accelerator is there, in a file system made for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.runtime.delegates.find import find_devices, find_library


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
    assert find_devices("edgetpu", root=tmp_path) == ()
    usb(tmp_path, "1-1", "046d", "c077")
    usb(tmp_path, "2-1", "1a6e", "089a")
    usb(tmp_path, "2-2", "18d1", "9302", node=False)
    (tmp_path / "dev/apex_0").touch()
    found = find_devices("edgetpu", root=tmp_path)
    assert found is not None
    assert [device.name for device in found] == ["usb:0", "usb:1", "pci:0"]
    assert [device.usable for device in found] == [True, False, True]
    assert [device.group for device in found] == ["plugdev", "plugdev", "apex"]


@pytest.mark.parametrize(
    ("delegate", "node"), [("vx", "dev/galcore"), ("ethos-u", "dev/ethosu0"), ("gpu", "dev/mali0")]
)
def test_npus_are_found_by_their_device_files(tmp_path: Path, delegate: str, node: str) -> None:
    assert find_devices(delegate, root=tmp_path) == ()
    (tmp_path / "dev").mkdir()
    (tmp_path / node).touch()
    found = find_devices(delegate, root=tmp_path)
    assert found is not None
    assert [device.node for device in found] == [tmp_path / node]


def test_of_others_nothing_is_known(tmp_path: Path) -> None:
    assert find_devices("libmine.so", root=tmp_path) is None


def test_libraries_are_found_where_the_loader_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    name = "libedgetpu.so.1"
    assert find_library(name, root=tmp_path) is None
    usual = tmp_path / f"usr/lib/{os.uname().machine}-linux-gnu" / name
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert find_library(name, root=tmp_path) == usual
    configured = tmp_path / "opt/tpu" / name
    configured.parent.mkdir(parents=True)
    configured.touch()
    (tmp_path / "etc/ld.so.conf.d").mkdir(parents=True)
    (tmp_path / "etc/ld.so.conf.d/tpu.conf").write_text("# ours\n/opt/tpu # here\n")
    assert find_library(name, root=tmp_path) == configured
    first = tmp_path / "first" / name
    first.parent.mkdir()
    first.touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{first.parent}")
    assert find_library(name, root=tmp_path) == first


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.so"
    assert find_library(str(path)) is None
    path.touch()
    assert find_library(str(path)) == path
