from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.doctor.checks.memory import MemoryCheck
from edgeinfer.device.diagnose.doctor.system import System

TEXT = "MemTotal: {total} kB\nMemFree: 1 kB\nMemAvailable: {available} kB\nSwapTotal: {swap} kB\n"


@pytest.mark.parametrize(
    ("total_mib", "available_mib", "swap_mib", "states"),
    [
        (4096, 3000, 0, ["ok"]),
        (4096, 100, 0, ["broken"]),
        (512, 300, 100, ["ok"]),
        (512, 300, 0, ["ok", "note"]),
    ],
)
def test_memory(
    write: Callable[[str, str], Path],
    tmp_path: Path,
    total_mib: int,
    available_mib: int,
    swap_mib: int,
    states: list[str],
) -> None:
    numbers = {"total": total_mib << 10, "available": available_mib << 10, "swap": swap_mib << 10}
    write("/proc/meminfo", TEXT.format(**numbers))
    findings = MemoryCheck().run(System(root=tmp_path / "root"))
    assert [finding.state for finding in findings] == states


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    (finding,) = MemoryCheck().run(System(root=tmp_path))
    assert finding.state == "note"
