from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeinfer.device.diagnose.doctor.checks.board import BoardCheck
from edgeinfer.device.diagnose.doctor.system import System


def test_a_board_of_the_device_tree(write: Callable[[str, str], Path], tmp_path: Path) -> None:
    write("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    (finding,) = BoardCheck().run(System(root=tmp_path / "root"))
    assert finding.got == "Raspberry Pi 4 (rpi4), 3 threads"
