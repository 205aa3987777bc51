"""The virtual board itself: it starts, has a camera that shows what is fed, and comes back."""

from __future__ import annotations

import base64
import time

import cv2
import numpy as np
import pytest

from tests.system.v4l2_shim.build import red_and_blue
from tests.system.virtual_pi.feeding import SIZE, FourCC, captures, feed, plug, unplug
from tests.system.virtual_pi.machine import BoardError, VirtualPi

pytestmark = pytest.mark.system

CAPTURED = "/tmp/captured"


def test_it_runs_debian_on_arm64_without_failed_units(board: VirtualPi) -> None:
    assert board.ssh("uname", "-m") == "aarch64\n"
    board.ssh("systemctl", "is-system-running", "--wait")
    assert board.ssh("systemctl", "--failed", "--plain", "--no-legend") == ""
    clock_s = float(board.ssh("date", "+%s"))
    assert clock_s == pytest.approx(time.time(), abs=60)


def test_its_users_are_those_of_raspberry_pi_os(board: VirtualPi) -> None:
    assert board.ssh("sudo", "-n", "id", "-un") == "root\n"
    assert {"sudo", "video"} <= set(board.ssh("id", "-Gn").split())
    assert board.ssh("id", "-un", user="guest") == "guest\n"
    refused = board.try_ssh("sudo", "-n", "true", user="guest")
    assert refused.returncode == 1
    assert "password is required" in refused.stderr


def test_its_python_makes_environments_only_without_pip(board: VirtualPi) -> None:
    board.ssh("python3", "-m", "venv", "--without-pip", "/tmp/environment")
    assert board.ssh("/tmp/environment/bin/python", "-V").startswith("Python 3.11.")
    assert board.try_ssh("python3", "-c", "import ensurepip").returncode == 1


@pytest.mark.parametrize("fourcc", ["YUYV", "MJPG"])
def test_its_camera_gives_the_frames_that_are_fed(board: VirtualPi, fourcc: FourCC) -> None:
    picture = red_and_blue(*SIZE)
    feed(board, {"picture": picture}, fourcc=fourcc)
    stream = (f"--stream-to={CAPTURED}", "--stream-mmap", "--stream-count=1")
    board.ssh("v4l2-ctl", "--device=/dev/video0", *stream, timeout_s=30)
    # Over the text of ssh: this also shows that a visitor in the group `video` may look.
    encoded = board.ssh("base64", CAPTURED, user="guest")
    board.ssh("rm", CAPTURED)
    raw = np.frombuffer(base64.b64decode(encoded), np.uint8)
    if fourcc == "MJPG":
        seen = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    else:
        seen = cv2.cvtColor(raw.reshape(SIZE[1], SIZE[0], 2), cv2.COLOR_YUV2BGR_YUYV)
    # JPEG and halved chroma smear the edge between the colours.
    difference = np.abs(seen[..., ::-1].astype(int) - picture)
    assert difference[:, : SIZE[0] // 2 - 16].max() < 8
    assert difference[:, SIZE[0] // 2 + 16 :].max() < 8


def test_its_camera_can_be_unplugged(board: VirtualPi) -> None:
    feed(board, {"picture": red_and_blue(*SIZE)})
    assert captures(board)
    unplug(board)
    assert not captures(board)
    plug(board)
    assert captures(board)


@pytest.mark.long
def test_it_comes_back_after_a_power_cut_with_what_was_flushed(board: VirtualPi) -> None:
    board.save_snapshot("running")
    board.ssh("sh", "-c", "echo kept > /flushed; sync; echo gone > /unflushed", user="root")
    board.kill()
    with pytest.raises(BoardError, match="has ended"):
        board.wait_ssh()
    board.start()
    board.wait_ssh()
    assert board.ssh("ls", "/").count("flushed") == 1
    assert board.ssh("cat", "/flushed") == "kept\n"
    checked = board.ssh("sudo", "journalctl", "--boot", "--identifier=systemd-fsck")
    assert "root: clean" in checked
    board.ssh("systemctl", "is-system-running", "--wait")

    board.kill()
    board.start("running")  # with the disk that it had then
    board.wait_ssh()
    assert "flushed" not in board.ssh("ls", "/")
