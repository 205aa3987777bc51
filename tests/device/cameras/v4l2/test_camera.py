"""V4L2 cameras: real processes, with the shim's device underneath."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from edgeinfer.device.cameras.v4l2.devices import find_cameras

DELIVERED_OF_10 = 9
"""The first picture proves the mode."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]

READ = """
import json, sys, time
from pathlib import Path
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.camera import V4l2Camera
from edgeinfer.device.cameras.v4l2.devices import find_cameras
from edgeinfer.device.core.errors import CameraError, UsageError

wishes = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
bare = wishes.pop("bare", False)
options = CameraOptions(timeout_s=1.0, **wishes)
report = {"found": [str(camera) for camera in find_cameras()], "frames": 0, "ages": []}
try:
    device = sys.argv[1]
    opened = V4l2Camera(Path(device), options) if bare else open_camera(device, options=options)
    with opened as camera:
        report["description"], report["live"] = camera.description, camera.live
        for _ in range(12):
            frame = camera.read()
            report["ages"].append((time.monotonic_ns() - frame.captured_ns) / 1e6)
            report["frames"] += 1
            pixels = frame.rgb()
            report["format"] = frame.format
            left, right = pixels[2, 2].astype(int), pixels[-3, -3].astype(int)
            if frame.format == "grey":
                continue
            is_red = left[0] > 240 and left[1:].max() < 15
            is_blue = right[2] > 240 and right[:2].max() < 15
            assert is_red and is_blue, (left, right)
            report["shape"] = pixels.shape
        report["skipped"] = camera.skipped_files
except (CameraError, UsageError) as error:
    report["error"], report["exit_code"] = str(error), error.exit_code
print(json.dumps(report))
"""


def read(
    run: Run, source: str = "0", *, wishes: dict[str, object] | None = None, **settings: str
) -> dict[str, object]:
    done = run(READ, source, json.dumps(wishes or {}), **settings)
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("source", ["", "0", "/dev/video0"])
def test_raw_pictures_in_the_right_colours(run_with_camera: Run, source: str) -> None:
    report = read(run_with_camera, source)
    assert report["found"] == ["/dev/video0 (Test camera)"]
    assert report["description"] == "/dev/video0 (Test camera), 640x480 YUYV, 30 frames/s"
    assert report["live"] is True
    assert (report["frames"], report["shape"], report["format"]) == (12, [480, 640, 3], "yuyv")


def test_compressed_pictures_in_the_right_colours(run_with_camera: Run) -> None:
    report = read(run_with_camera, FORMATS="MJPG")
    assert "640x480 MJPG" in str(report["description"])
    assert (report["frames"], report["format"]) == (12, "jpeg")


def test_first_camera_need_not_be_number_0(run_with_camera: Run) -> None:
    assert "/dev/video7" in str(read(run_with_camera, "", PATH="/dev/video7")["description"])


def test_compressed_pictures_are_asked_for_where_raw_ones_are_slow(run_with_camera: Run) -> None:
    report = read(run_with_camera, FORMATS="YUYV,MJPG", FPS="10")
    assert report["description"] == "/dev/video0 (Test camera), 640x480 MJPG, 30 frames/s"
    assert report["frames"] == 12


def test_raw_pictures_where_the_driver_refuses_compressed_ones(run_with_camera: Run) -> None:
    report = read(run_with_camera, FORMATS="YUYV", FPS="20")
    assert "YUYV, 20 frames/s" in str(report["description"])
    assert report["frames"] == 12


def test_raw_pictures_where_compressed_ones_are_none(run_with_camera: Run) -> None:
    report = read(run_with_camera, FORMATS="YUYV", FPS="20", LIE="1")
    assert "YUYV, 20 frames/s" in str(report["description"])
    assert report["frames"] == 12


def test_camera_of_another_size(run_with_camera: Run) -> None:
    assert read(run_with_camera, SIZE="320x240")["shape"] == [240, 320, 3]


@pytest.mark.parametrize(
    ("source", "settings", "said"),
    [
        ("0", {"MODE": "absent"}, ("/dev/video0: no such camera", "no camera is connected")),
        ("", {"MODE": "absent"}, ("camera: none found", "--camera simulated")),
        ("3", {}, ("/dev/video3: no such camera", "connected: /dev/video0 (Test camera)")),
        ("0", {"MODE": "denied"}, ("permission denied", "sudo usermod -aG video $USER")),
        ("", {"MODE": "denied"}, ("/dev/video0: permission denied", "usermod")),
        ("0", {"MODE": "busy"}, ("/dev/video0: is in use", "fuser -v /dev/video0")),
        ("0", {"MODE": "no-capture"}, ("/dev/video0: does not capture video",)),
        ("", {"MODE": "no-capture"}, ("camera: none found",)),
        ("/dev/null", {}, ("/dev/null: does not capture video", "connected: /dev/video0")),
    ],
)
def test_camera_that_cannot_be_opened(
    run_with_camera: Run, source: str, settings: dict[str, str], said: tuple[str, ...]
) -> None:
    report = read(run_with_camera, source, wishes=None, **settings)
    for part in said:
        assert part in str(report["error"])
    assert report["frames"] == 0


BARE: dict[str, object] = {"bare": True}
DEVICE = "/dev/video0"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("eio", "(failed to transfer a picture)"),
        ("unplug", "(was unplugged)"),
        ("silent", "for 1 s"),
    ],
)
def test_camera_that_stops_is_an_error_and_gives_no_frame_twice(
    run_with_camera: Run, fault: str, said: str
) -> None:
    report = read(run_with_camera, DEVICE, wishes=BARE, FAULT=fault, FAULT_AFTER="10")
    assert report["frames"] == DELIVERED_OF_10
    assert f"/dev/video0: stopped delivering pictures {said}" in str(report["error"])


def test_a_buffer_that_is_given_twice_is_not_a_new_picture(run_with_camera: Run) -> None:
    report = read(run_with_camera, DEVICE, wishes=BARE, FAULT="repeat", FAULT_AFTER="10")
    assert report["frames"] == DELIVERED_OF_10
    assert "repeats one picture for 1 s" in str(report["error"])


def test_pictures_of_another_size_in_mid_stream_are_an_error(
    run_with_camera: Run, v4l2_shim: dict[str, str]
) -> None:
    smaller = f"{v4l2_shim['FAKEV4L2_FOLDER']}/smaller.jpg"
    settings = {"FORMATS": "MJPG", "FAULT": "other", "OTHER_JPEG": smaller}
    report = read(run_with_camera, DEVICE, wishes=BARE, **settings)
    assert report["frames"] == DELIVERED_OF_10
    assert "is 320x240, expected 640x480" in str(report["error"])


@pytest.mark.parametrize(
    ("pixel_format", "fault"),
    [
        *(("MJPG", "cut"), ("MJPG", "damaged"), ("MJPG", "short")),
        *(("YUYV", "cut"), ("YUYV", "damaged"), ("YUYV", "size")),
        ("GREY", "cut"),
    ],
)
def test_incomplete_pictures_are_skipped_and_the_last_one_is_not_repeated(
    run_with_camera: Run, pixel_format: str, fault: str
) -> None:
    settings = {"FORMATS": pixel_format, "FAULT": fault, "FPS": "120"}
    report = read(run_with_camera, DEVICE, wishes=BARE, **settings)
    assert report["frames"] == DELIVERED_OF_10
    assert "30 damaged pictures in a row" in str(report["error"])


def test_the_drivers_padding_is_not_in_the_picture(run_with_camera: Run) -> None:
    report = read(run_with_camera, PADDING="64")
    assert (report["frames"], report["shape"]) == (12, [480, 640, 3])


def test_formats_that_nobody_reads(run_with_camera: Run) -> None:
    report = read(run_with_camera, FORMATS="XXXX,H264")
    assert "/dev/video0: sends XXXX, H264, expected one of YUYV" in str(report["error"])


def test_finding_cameras_leaves_no_descriptor_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    find_cameras()
    assert len(os.listdir("/proc/self/fd")) == before


FOUND_WHILE_A_MODEL_OPENS = """
import os
from pathlib import Path
from edgeinfer.device.cameras.v4l2 import abi
from edgeinfer.device.cameras.v4l2.devices import open_device
from edgeinfer.device.core.silenced import silenced

with open_device(Path("/dev/video0")) as camera:
    def close_the_same_number():
        os.dup2(2, camera)
        os.close(camera)

    silenced(close_the_same_number)
    abi.call(camera, abi.VIDIOC_QUERYCAP, abi.Capability())
"""


def test_a_camera_is_found_while_a_model_opens(run_with_camera: Run) -> None:
    """The thread that a model opens in has its own descriptors, with the same numbers."""
    done = run_with_camera(FOUND_WHILE_A_MODEL_OPENS)
    assert done.returncode == 0, done.stderr
