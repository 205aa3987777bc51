from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.boards.files import load_profile
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.host.flashing.board.system import BoardSystem, choose_system
from tests.host.flashing.examples import pi


def choose(board: str = "rpi4", *, picamera: bool = False, **changes: Any) -> BoardSystem:
    profile = load_profile(board)
    named = bool(profile.device_tree)
    return choose_system(pi(**changes), profile, "cam", named=named, picamera=picamera)


def test_64_bit_bookworm() -> None:
    system = choose()
    assert system.target.name == "aarch64-python3.11-glibc2.36"
    assert system.target.runtime == "tflite-runtime==2.14.0"
    assert (system.python, system.carried) == ("/usr/bin/python3", "")


NARROW: dict[str, Any] = {"architecture": "armv7l", "os_id": "raspbian"}


def test_32_bit_bookworm_takes_the_systems_numpy_and_opencv() -> None:
    system = choose(**NARROW, modules=("numpy", "cv2"))
    assert system.target.system_packages == {"numpy", "opencv-python-headless"}
    assert system.system_site_packages


def test_picamera2_is_the_systems() -> None:
    assert choose("generic-aarch64", picamera=True).system_site_packages
    assert not choose("generic-aarch64").system_site_packages


def test_a_generic_board_takes_other_systems_by_what_they_are() -> None:
    system = choose("generic-aarch64", os_id="ubuntu", os_version="24.04",
                    python_version=(3, 12, 3), glibc=(2, 39))  # fmt: skip
    assert system.target.name == "aarch64-python3.12-glibc2.39"
    assert system.target.runtime == ""


def test_a_python_that_is_too_old_is_carried_where_the_profile_says_so() -> None:
    system = choose("coral-dev", os_id="mendel", os_version="", python_version=(3, 7, 3),
                    glibc=(2, 28))  # fmt: skip
    assert system.carried == system.target.python == "3.10"
    assert system.target.runtime == "tflite-runtime==2.13.0"


@pytest.mark.parametrize(
    ("board", "changes", "words"),
    [
        ("rpi4", {"os_id": "ubuntu", "os_name": "Ubuntu 24.04"},
         "runs Ubuntu 24.04, aarch64, expected one of Raspberry Pi OS"),
        ("rpi4", {**NARROW, "os_version": "13"}, "for which there is no TFLite runtime"),
        ("rpi4", {**NARROW, "modules": ("cv2",)}, "lacks python3-numpy.*apt install python3-numpy"),
        ("rpi4", {"modules": (), "picamera": True}, "lacks python3-picamera2"),
        ("generic-aarch64", {"python": ""}, "has no Python"),
        ("generic-aarch64", {"python_version": (3, 9, 2)}, "its Python is 3.9.2, expected 3.10"),
        ("generic-aarch64", {"python_version": (3, 14, 0)}, "its Python is 3.14.0"),
        ("generic-aarch64", {"venv": False}, "cannot make virtual environments.*python3-venv"),
        ("generic-aarch64", {"glibc": None}, "its C library is not glibc"),
        ("generic-aarch64", {"glibc": (2, 9), "os_id": "old"}, "has a system without wheels"),
        ("generic-aarch64", {"architecture": "i686", "os_id": "x"}, "without wheels"),
    ],
)  # fmt: skip
def test_systems_on_which_nothing_runs_are_refused(
    board: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(RemoteError, match=f"^cam: .*{words}"):
        choose(board, **changes)
