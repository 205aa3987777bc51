"""Disks: space, files, and whether they can still be written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.files import BOARD_BUNDLE, data_home
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System, read_number

_MIB = 1 << 20
FULL_MIB, NEARLY_FULL_MIB = 64, 512
FEW_INODES_PERCENT = 2.0

_WORN = {2: "80 % worn", 3: "worn out"}
"""PRE_EOL_INFO of eMMC, JEDEC JESD84-B51: 1 normal, 2 warning, 3 urgent."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A file system, as `statvfs` tells.

    Attributes:
        free_mib: space for this user.
        inodes_percent: how many more files fit, in percent of all; None if the file system has no
            such limit.
        read_only: nothing can be written.
    """

    free_mib: int
    inodes_percent: float | None
    read_only: bool


class StorageCheck:
    """Whether there is space for bundles and outputs."""

    title = "Storage"

    def run(self, system: System) -> Sequence[Finding]:
        """Check each file system once, and the wear of eMMC chips."""
        folders: dict[int, dict[str, Path]] = {}
        for purpose, wanted in (
            ("bundles", BOARD_BUNDLE.parent),
            ("bundles", data_home()),
            ("outputs", Path.cwd()),
        ):
            folder = existing(wanted)
            folders.setdefault(folder.stat().st_dev, {}).setdefault(purpose, folder)
        findings = []
        for purposes in folders.values():
            folder = next(iter(purposes.values()))
            place = mount(system, folder)
            where = f"{place.point} ({' and '.join(purposes)})"
            findings.append(judge_disk(where, read_disk(folder), place))
        return findings + wear(system)


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path("/"))


def read_disk(folder: Path) -> Disk:
    """Ask the file system of a folder."""
    status = os.statvfs(folder)
    return Disk(
        free_mib=status.f_bavail * status.f_frsize // _MIB,
        inodes_percent=100 * status.f_favail / status.f_files if status.f_files else None,
        read_only=bool(status.f_flag & os.ST_RDONLY),
    )


@dataclass(frozen=True, kw_only=True)
class Mount:
    """Where a file system comes from, and whether it is meant to be read-only."""

    device: str
    point: str
    meant_read_only: bool


def mount(system: System, folder: Path) -> Mount:
    """Return what /proc/mounts says about the file system of a folder."""
    lines = [line.split() for line in system.text("/proc/mounts").splitlines()]
    above = [words for words in lines if len(words) > 3 and folder.is_relative_to(Path(words[1]))]
    device, point, *_ = max(above, key=lambda words: len(words[1]), default=("", "/", "", ""))
    table = [line.split() for line in system.text("/etc/fstab").splitlines()]
    wanted = next((words[3] for words in table if len(words) > 3 and words[1] == point), "ro")
    return Mount(device=device, point=point, meant_read_only="ro" in wanted.split(","))


def judge_disk(where: str, disk: Disk, place: Mount) -> Finding:
    """Return whether there is space, and whether it can be written."""
    if disk.read_only and not place.meant_read_only:
        return broken(
            "disk",
            f"{where} is read-only, although /etc/fstab says otherwise",
            expected="a card without errors: the kernel protects a card that fails",
            fix=f"look at `sudo dmesg | grep -iE 'mmc|ext4'`; save what is on {place.device}, "
            "and replace it",
        )
    if disk.read_only:
        return note(
            "disk",
            f"{where} is read-only",
            fix=f"run `sudo mount -o remount,rw {place.point}` before bundles are installed",
        )
    if disk.free_mib < FULL_MIB:
        return broken(
            "disk",
            f"{where} has {disk.free_mib} MiB free",
            expected=f"{FULL_MIB} MiB or more",
            fix=f"free some space: `sudo du -xh {place.point} | sort -h | tail`, "
            "`sudo journalctl --vacuum-size=50M`",
        )
    if disk.inodes_percent is not None and disk.inodes_percent < FEW_INODES_PERCENT:
        return broken(
            "disk",
            f"{where} has space for only {disk.inodes_percent:.1f} % of its files",
            expected=f"{FEW_INODES_PERCENT:.0f} % or more",
            fix=f"remove small files: `sudo du --inodes -x {place.point} | sort -n | tail`",
        )
    if disk.free_mib < NEARLY_FULL_MIB:
        return note(
            "disk",
            f"{where} has {disk.free_mib} MiB free",
            expected=f"{NEARLY_FULL_MIB} MiB or more for bundles and recordings",
            fix="free some space: `sudo apt clean`, `sudo journalctl --vacuum-size=50M`",
        )
    return ok("disk", f"{where}, {disk.free_mib / 1024:.1f} GiB free")


def wear(system: System) -> list[Finding]:
    """Judge eMMC chips, which report how worn they are; SD cards do not."""
    findings = []
    for folder in system.glob("/sys/block/mmcblk*/device"):
        stage = read_number(folder / "pre_eol_info")
        if stage in _WORN:
            findings.append(
                (broken if stage == 3 else note)(
                    "disk",
                    f"{folder.parent.name} is {_WORN[stage]}",
                    fix="save what is on it, and replace the board or start from another card",
                )
            )
    return findings
