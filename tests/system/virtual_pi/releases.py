"""Releases on a virtual board: brought there by `edgeinfer flash`, and looked at from outside."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.pictures.pixel_formats import Pixels
from tests.support.program import PROGRAM
from tests.system.virtual_pi.machine import BoardError, VirtualPi

Tell = Callable[[str], None]
"""Keeps a text for those who read what a test run reported."""

PREFIX = "/var/lib/edgeinfer"
AGENT = ("sudo", "-n", "/usr/bin/python3", "-I", f"{PREFIX}/releases.pyz")
PROFILE = "generic-aarch64"
"""The board calls itself QEMU's, so it is not one of the boards that have a name."""
STATUS = "/run/edgeinfer/status.json"
FRESH_S = 10.0
_LOOK = f"""\
cut -d' ' -f1 /proc/uptime
readlink -f {PREFIX}/current
sha256sum < {PREFIX}/current/bundle.edgebundle | cut -d' ' -f1
ls {PREFIX}/current/package/complete {PREFIX}/current/run | wc -l
dmesg | grep -c 'EXT4-fs error'
{" ".join(AGENT[2:])} state
"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a board has, the disk's content read as well as the agent's answer.

    Attributes:
        current: the folder that `current` leads to.
        sha256: of its bundle.
        whole: its package was finished and it has a program to run.
        disk_errors: what the kernel reported of its file system.
        state: the agent's answer.
        uptime_s: when that was.
    """

    current: str
    sha256: str
    whole: bool
    disk_errors: int
    state: dict[str, Any]
    uptime_s: float

    @property
    def release(self) -> int:
        """The number of the current release; 0 without one."""
        name = Path(self.current).name
        return int(name) if name.isdigit() else 0

    @property
    def label(self) -> str:
        """What the service answers, if that is new; else nothing."""
        status = self.state.get("status") or {}
        if self.state["service"]["active"] != "active" or not status.get("last"):
            return ""
        fresh = self.uptime_s - float(status["updated"]) < FRESH_S
        return str(status["last"].get("label", "")) if fresh else ""

    def faults(self) -> list[str]:
        """Return what is not as it must be on a board that was repaired."""
        release = self.state["releases"].get(str(self.release))
        found = {
            "there is no current release": release is None,
            "the agent names another one": self.state["current"] != self.release,
            "the agent says that it is not whole": not (release or {}).get("whole"),
            "the bundle is not the release's": (release or {}).get("bundle") != self.sha256,
            "the package is not whole": not self.whole,
            "a trial is left": self.state["trial"] is not None,
            "the file system has errors": self.disk_errors > 0,
        }
        return [fault for fault, there in found.items() if there]


def flash_command(
    board: VirtualPi, bundle: Path, *options: object, wheels: Sequence[Path] = ()
) -> list[str]:
    """Return the command line of `edgeinfer flash`; `options` may hold `--` and run options."""
    carried = [word for wheel in wheels for word in ("--wheel", str(wheel))]
    words = [*PROGRAM, "flash", "--board", PROFILE, *board.options(), *carried, str(bundle)]
    return [*words, *map(str, options)]


def look(board: VirtualPi) -> Look:
    """Look at a board's releases.

    Raises:
        BoardError: nothing answers.
    """
    told = board.ssh("sudo", "-n", "sh", "-c", _LOOK)
    lines = told.splitlines()
    try:
        uptime_s, current, sha256, files, errors = lines[:5]
        return Look(
            current=current,
            sha256=sha256,
            whole=int(files) == 2,
            disk_errors=int(errors),
            state=json.loads(lines[5]),
            uptime_s=float(uptime_s),
        )
    except (ValueError, IndexError) as error:
        raise BoardError(f"the board's releases cannot be read: {told}") from error


def wait_answering(board: VirtualPi, label: str, timeout_s: float = 180) -> Look:
    """Wait until the service answers with a label.

    Raises:
        BoardError: it does not in time.
    """
    # Asked there, in a loop of little work: an emulated board has little time.
    fresh = (
        f"find {STATUS} -newermt '-5 seconds' | grep -q . && grep -q {shlex.quote(label)} {STATUS}"
    )
    loop = f"until {fresh}; do sleep 0.5; done 2>/dev/null"
    board.try_ssh("sudo", "-n", "timeout", f"{timeout_s:g}", "sh", "-c", loop)
    seen = look(board)
    if seen.label != label:
        words = ("journalctl", "--no-pager", "--lines=30", "--unit=edgeinfer*")
        raise BoardError(
            f"answers {seen.label or 'nothing'}, expected {label}: {seen.state}\n"
            f"{board.ssh('sudo', *words)}"
        )
    return seen


def golden_pictures(bundle: Path) -> dict[str, Pixels]:
    """Return a classifier's golden frames, (H, W, 3) uint8 RGB, by their labels."""
    pictures = {}
    with open_bundle(bundle) as opened:
        for frame in opened.manifest.golden:
            raw = np.frombuffer(opened.member(frame.file), np.uint8)
            picture = cv2.imdecode(raw, cv2.IMREAD_COLOR)
            assert frame.label is not None
            pictures[frame.label] = np.asarray(picture[..., ::-1], np.uint8)
    return pictures


def renamed_bundle(bundle: Path, path: Path, name: str) -> Path:
    """Write a bundle that answers the same under another name; return its path."""
    with open_bundle(bundle) as opened:
        members = {member: opened.member(member) for member in opened.manifest.members}
        write_bundle(path, replace(opened.manifest, name=name), members)
    return path


def disagreeing_bundle(bundle: Path, path: Path) -> Path:
    """Write a bundle whose golden outputs are another model's; return its path."""
    with open_bundle(bundle) as opened:
        members = {name: opened.member(name) for name in opened.manifest.members}
        manifest = opened.manifest
        (variant,) = manifest.variants.values()
        for member in variant.golden_outputs.values():
            members[member] = bytes(reversed(members[member]))
        write_bundle(path, replace(manifest, name="disagreeing"), members)
    return path
