"""Updates of a board that runs, and a board that is ready for them again within a second."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.system.emulated.debian import run_tool
from tests.system.virtual_pi.feeding import feed
from tests.system.virtual_pi.image import BoardImage
from tests.system.virtual_pi.machine import BoardError, VirtualPi
from tests.system.virtual_pi.releases import (
    flash_command,
    golden_pictures,
    renamed_bundle,
    wait_answering,
)

LABEL = "T-shirt"
"""What the board's camera sees."""
CPUS = 1
"""Of each board: emulated processors that wait for each other take turns on few real ones."""
FPS = 3
READY = "ready"
SLOW = ("--", "--camera", "/dev/video0", "--max-fps", "2")
"""Run options: emulated processors have little time."""
_FLASH_S = 1800


@dataclass(frozen=True, kw_only=True)
class Update:
    """An update of a board that runs release 2.

    Attributes:
        kind: what of the release is new.
        bundle: the model.
        options: of `flash`, run options among them.
        wheels: what takes the place of the package index's.
    """

    kind: str
    bundle: Path
    options: tuple[str, ...]
    wheels: tuple[Path, ...]

    def command(self, board: VirtualPi) -> list[str]:
        """Return the command line that brings it to a board."""
        return flash_command(board, self.bundle, *self.options, wheels=self.wheels)


def updates(sample: Path, wheels: Sequence[Path], other_wheel: Path, folder: Path) -> list[Update]:
    """Return one update of each kind.

    Args:
        sample: the bundle of the board's first releases.
        wheels: edgeinfer's.
        other_wheel: another version of a package that it needs.
        folder: for another bundle.
    """
    other = renamed_bundle(sample, folder / "other.edgebundle", "fashion-mnist-2")
    frames = ("--trial-frames", "5")
    same = tuple(wheels)
    faster = ("--", "--camera", "/dev/video0", "--max-fps", "3")
    return [
        Update(kind="bundle", bundle=other, options=(*frames, *SLOW), wheels=same),
        Update(kind="options", bundle=sample, options=(*frames, *faster), wheels=same),
        Update(
            kind="packages", bundle=sample, options=(*frames, *SLOW), wheels=(*same, other_wheel)
        ),
    ]


def make_ready(image: BoardImage, folder: Path, sample: Path, wheels: Sequence[Path]) -> None:
    """Bring two releases to a board and keep it, running, as `READY` on the disk in the folder.

    The second differs from the first by its run options, so that both are whole and one may take
    the place of the other.

    Raises:
        BoardError: a release does not run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with VirtualPi(image, folder, cpus=CPUS) as board:
        board.start()
        board.wait_ssh()
        feed(board, {LABEL: golden_pictures(sample)[LABEL]}, fps=FPS)
        for options in (("--trial-frames", "5"), ("--trial-frames", "5", *SLOW)):
            command = flash_command(board, sample, *options, wheels=wheels)
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_FLASH_S
            )
            if done.returncode:
                raise BoardError(f"flash: {done.stdout}{done.stderr}{board.told()}")
        wait_answering(board, LABEL)
        board.ssh("sync")
        board.save_snapshot(READY)


def resume(board: VirtualPi, ready: Path) -> None:
    """Let a board go on where `make_ready` kept it, with today's time.

    Args:
        board: a board that is off.
        ready: the folder of `make_ready`.
    """
    # Blocks that a killed emulator had taken and not entered are lost room (3), no damage.
    checked = subprocess.run(
        ["qemu-img", "check", "-q", board.disk], capture_output=True, text=True, check=False
    )
    if checked.returncode not in (0, 3) or READY not in run_tool(
        "qemu-img", "snapshot", "-l", board.disk
    ):
        shutil.copyfile(ready / "disk.qcow2", board.disk)
    board.start(READY)
    board.wait_ssh("date", "--set", f"@{time.time():.0f}", user="root")


def check_disk(board: VirtualPi) -> str:
    """Check the file system of a board that is off, as it was left; return what is wrong.

    The journal is replayed and the list of orphans cleared in a copy, as the board's kernel will
    do; what e2fsck finds after that, no power cut may leave.
    """
    copy = board.folder / "disk.raw"
    try:
        run_tool("qemu-img", "convert", "-O", "raw", board.disk, copy)
        # 1: something was repaired, the journal for example; 4 and more: it cannot be.
        first = subprocess.run(["e2fsck", "-fp", copy], capture_output=True, text=True, check=False)
        second = subprocess.run(
            ["e2fsck", "-fn", copy], capture_output=True, text=True, check=False
        )
        if first.returncode > 1 or second.returncode:
            return f"{first.stdout}{first.stderr}{second.stdout}".strip()
        return ""
    finally:
        copy.unlink(missing_ok=True)
