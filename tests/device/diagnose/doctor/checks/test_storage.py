"""Disks: a file system in memory that is full or read-only for real, where one may be made."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.doctor.checks.storage import (
    Disk,
    Mount,
    StorageCheck,
    existing,
    judge_disk,
    mount,
    read_disk,
    wear,
)
from edgeinfer.device.diagnose.doctor.system import System

Write = Callable[[str, str], Path]

LOOK = """
import dataclasses, json, sys; from pathlib import Path
from edgeinfer.device.diagnose.doctor.checks.storage import judge_disk, mount, read_disk
from edgeinfer.device.diagnose.doctor.system import System
folder = Path(sys.argv[1]); finding = judge_disk("here", read_disk(folder), mount(System(), folder))
print(json.dumps(dataclasses.asdict(finding)))
"""


def on_a_small_disk(folder: Path, options: str, fill: str = ":") -> dict[str, str]:
    """Look at a separate file system, which only this process sees; `fill` is run in it."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare: this test mounts a separate file system")
    script = f'mount -t tmpfs -o "$1" none "$2" && cd "$2" && {fill} && shift 2 && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", options]
    code = [sys.executable, "-c", LOOK.replace("sys.argv[1]", repr(str(folder)))]
    done = subprocess.run(
        [*command, str(folder), *code], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"this system does not let one mount ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    finding: dict[str, str] = json.loads(done.stdout)
    return finding


def test_a_full_disk(tmp_path: Path) -> None:
    finding = on_a_small_disk(tmp_path, "size=1m")
    assert finding["state"] == "broken"
    assert finding["got"] == "here has 1 MiB free"
    assert f"sudo du -xh {tmp_path} " in finding["fix"]


def test_a_disk_without_room_for_files(tmp_path: Path) -> None:
    options = "size=900m,nr_inodes=200"
    assert on_a_small_disk(tmp_path, options)["state"] == "ok"
    finding = on_a_small_disk(tmp_path, options, fill="touch $(seq 197)")
    assert finding["state"] == "broken"
    assert "only 1.0 % of its files" in finding["got"]


def test_a_read_only_disk(tmp_path: Path) -> None:
    finding = on_a_small_disk(tmp_path, "size=900m,ro")
    assert finding["state"] == "note"
    assert f"remount,rw {tmp_path}" in finding["fix"]


def test_a_card_that_the_kernel_made_read_only(write: Write, tmp_path: Path) -> None:
    write("/proc/mounts", "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\nproc /proc proc rw 0 0\n")
    write("/etc/fstab", "# made at the factory\nPARTUUID=1-2 / ext4 defaults,noatime 0 1\n")
    place = mount(System(root=tmp_path / "root"), Path("/var/lib"))
    assert place == Mount(device="/dev/mmcblk0p2", point="/", meant_read_only=False)
    disk = Disk(free_mib=9000, inodes_percent=50.0, read_only=True)
    finding = judge_disk("/var/lib", disk, place)
    assert finding.state == "broken"
    assert "/dev/mmcblk0p2" in finding.fix
    write("/etc/fstab", "PARTUUID=1-2 / ext4 defaults,ro 0 1\n")
    meant = mount(System(root=tmp_path / "root"), Path("/var/lib"))
    assert judge_disk("/var/lib", disk, meant).state == "note"


@given(st.text(), st.text())
def test_a_damaged_table_of_mounts_is_not_an_error(mounts: str, fstab: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("proc/mounts", mounts), ("etc/fstab", fstab)):
            path = Path(folder) / name
            path.parent.mkdir()
            path.write_bytes(text.encode(errors="surrogatepass"))
        mount(System(root=Path(folder)), Path("/var/lib"))


def test_little_room_is_a_note() -> None:
    place = Mount(device="/dev/sda1", point="/", meant_read_only=False)
    little = Disk(free_mib=300, inodes_percent=None, read_only=False)
    assert judge_disk("x", little, place).state == "note"


def test_this_machine(tmp_path: Path) -> None:
    assert read_disk(tmp_path).free_mib > 0
    assert existing(tmp_path / "a" / "b") == tmp_path
    findings = StorageCheck().run(System())
    assert {finding.subject for finding in findings} == {"disk"}


@pytest.mark.parametrize(("stage", "state"), [("0x01", None), ("0x02", "note"), ("0x03", "broken")])
def test_wear_of_emmc(write: Write, tmp_path: Path, stage: str, state: str | None) -> None:
    write("/sys/block/mmcblk0/device/pre_eol_info", stage + "\n")
    findings = wear(System(root=tmp_path / "root"))
    assert [finding.state for finding in findings] == ([state] if state else [])
