from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgeinfer.boards import load_profile
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.board_wheels.wheel_file import wheel_file
from edgeinfer.host.emulation.emulator import Emulator
from edgeinfer.host.emulation.userland import (
    debian_packages,
    guest_environment,
    prepare_board,
    python_script,
    unpacked_wheels,
)
from tests.host.board_wheels.wheels import make_wheel
from tests.host.emulation.boards import script


def test_python_starts_in_the_emulator_under_the_scripts_name(tmp_path: Path) -> None:
    home = tmp_path / "ho me's"
    qemu = script(
        tmp_path / "qemu", 'echo "$PYTHONHOME|$PYTHONPATH"', 'for word; do echo "$word"; done'
    )
    made = python_script(
        tmp_path / "root",
        "3.13",
        [Path("/own"), Path("/site")],
        Emulator(path=qemu, version=(10, 0)),
        "cortex-a72",
        home,
    )
    done = subprocess.run([made, "-c", "a 'b'"], capture_output=True, text=True, check=True)
    root = tmp_path / "root"
    assert done.stdout.splitlines() == [
        f"{root}/usr|/own:/site",
        *("-cpu", "cortex-a72", "-L", str(root), "-0", str(made)),
        *(f"{root}/usr/bin/python3.13", "-c", "a 'b'"),
    ]


def test_variables_for_another_python_or_loader_are_left_out() -> None:
    kept = {"HOME": "/home/me", "EDGEINFER_NATIVE": "0", "PATH": "/bin"}
    steering = {"PYTHONPATH": "x", "VIRTUAL_ENV": "x", "LD_PRELOAD": "x", "QEMU_CPU": "x"}
    assert guest_environment(kept | steering) == kept


def test_only_32_bit_arm_gets_numpy_and_opencv_from_debian() -> None:
    packages = {s.name: debian_packages(s) for s in load_profile("rpi4").systems}
    for name, names in packages.items():
        assert ("python3-opencv" in names) is ("32-bit" in name)
        assert not any("picamera2" in package for package in names)
    assert "python3.13-minimal" in packages["Raspberry Pi OS 13 (Trixie), 64-bit"]


def test_wheels_are_unpacked_side_by_side(tmp_path: Path) -> None:
    wheels = [
        wheel_file(make_wheel(tmp_path, name, members={f"{name}.py": "x = 1"})) for name in "ab"
    ]
    folder = unpacked_wheels(wheels, "site", tmp_path / "home")
    assert {path.name for path in folder.glob("*.py")} == {"a.py", "b.py"}


@pytest.mark.parametrize("runtime", ["x=1", "numpy==1"])
def test_a_name_that_is_not_a_runtime_is_refused(runtime: str, tmp_path: Path) -> None:
    board = load_profile("rpi4")
    with pytest.raises(UsageError, match="expected a requirement such as ai-edge-litert"):
        prepare_board(board, board.systems[0], runtime=runtime, home=tmp_path)
