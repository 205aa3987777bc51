from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edgeinfer.boards import detect_board
from edgeinfer.boards.threads import DEVICE_TREE_MODEL


def root_with(model: bytes, folder: Path) -> Path:
    path = folder / DEVICE_TREE_MODEL
    path.parent.mkdir(parents=True)
    path.write_bytes(model)
    return folder


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (b"Raspberry Pi Zero 2 W Rev 1.0\0", "rpi-zero2w"),
        (b"Raspberry Pi 3 Model B Plus Rev 1.3\0", "rpi3"),
        (b"Raspberry Pi 3 Model A Plus Rev 1.0\0", "rpi3"),
        (b"Raspberry Pi 4 Model B Rev 1.4\0", "rpi4"),
        (b"Raspberry Pi 400 Rev 1.0\0", "rpi4"),
        (b"Raspberry Pi Compute Module 4 Rev 1.0\0", "rpi4"),
        (b"Raspberry Pi 5 Model B Rev 1.0\0", "rpi5"),
        (b"Freescale i.MX8MQ Phanbell\0", "coral-dev"),
        (b"NXP i.MX8MPlus EVK board\0", "imx8mp"),
        (b"NXP i.MX93 11X11 EVK board\0", "imx93"),
    ],
)
def test_boards_are_known_by_their_device_tree(model: bytes, name: str, tmp_path: Path) -> None:
    assert detect_board(root_with(model, tmp_path)).name == name


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "generic-x86-64"),
        ("aarch64", "generic-aarch64"),
        ("armv7l", "generic-armv7l"),
        ("armv8l", "generic-armv7l"),
        ("riscv64", "generic"),
        ("", "generic"),
    ],
)
def test_other_machines_are_generic(
    machine: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    board = detect_board(tmp_path)
    assert (board.name, board.architecture) == (name, board.architecture or "unknown")
    assert board.thread_count() >= 1


@pytest.mark.parametrize("model", [b"", b"\0", b"\xff\xfe\0", b"Raspberry Pi\0", b"linux,dummy\0"])
def test_a_device_tree_that_names_no_known_board(model: bytes, tmp_path: Path) -> None:
    assert detect_board(root_with(model, tmp_path)).name.startswith("generic")
