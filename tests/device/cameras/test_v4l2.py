"""V4L2 cameras: real processes and the real OpenCV, with the shim's device underneath."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from edgeinfer.device.cameras.v4l2_devices import find_cameras

DELIVERED_OF_10 = (8, 9)
"""Most versions of OpenCV throw a stream's first picture away; one more proves the format."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]

READ = """
import json, sys, time
from edgeinfer.device.cameras.opening import open_camera
from edgeinfer.device.cameras.v4l2_devices import find_cameras
from edgeinfer.device.errors import CameraError

report = {"found": [str(camera) for camera in find_cameras()], "frames": 0, "ages": []}
try:
    with open_camera(sys.argv[1]) as camera:
        report["description"], report["live"] = camera.description, camera.live
        for _ in range(12):
            frame = camera.read()
            report["ages"].append((time.monotonic_ns() - frame.captured_ns) / 1e6)
            report["frames"] += 1
            pixels = frame.rgb()
            report["format"] = frame.format
            left, right = pixels[2, 2].astype(int), pixels[-2, -2].astype(int)
            is_red = left[0] > 240 and left[1:].max() < 15
            is_blue = right[2] > 240 and right[:2].max() < 15
            assert is_red and is_blue, (left, right)
            report["shape"] = pixels.shape
except CameraError as error:
    report["error"] = str(error)
print(json.dumps(report))
"""


def read(run: Run, source: str = "0", **settings: str) -> dict[str, object]:
    done = run(READ, source, **settings)
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
    report = read(run_with_camera, source, **settings)
    for part in said:
        assert part in str(report["error"])
    assert report["frames"] == 0


@pytest.mark.parametrize("fault", ["eio", "unplug", "silent"])
def test_camera_that_stops_is_an_error_and_gives_no_frame_twice(
    run_with_camera: Run, fault: str
) -> None:
    report = read(run_with_camera, FAULT=fault, FAULT_AFTER="10")
    assert report["frames"] in DELIVERED_OF_10
    assert "/dev/video0: stopped delivering pictures" in str(report["error"])


def test_pictures_of_another_size_in_mid_stream_are_an_error(
    run_with_camera: Run, v4l2_shim: dict[str, str]
) -> None:
    smaller = f"{v4l2_shim['FAKEV4L2_FOLDER']}/smaller.jpg"
    report = read(run_with_camera, FORMATS="MJPG", FAULT="other", OTHER_JPEG=smaller)
    assert report["frames"] in DELIVERED_OF_10
    assert "is 320x240, expected 640x480" in str(report["error"])


def test_torn_pictures_are_passed_over_and_never_the_last_one_repeated(
    run_with_camera: Run, v4l2_shim: dict[str, str]
) -> None:
    torn = f"{v4l2_shim['FAKEV4L2_FOLDER']}/torn.jpg"
    report = read(run_with_camera, FORMATS="MJPG", FAULT="other", OTHER_JPEG=torn)
    assert report["frames"] in DELIVERED_OF_10
    assert "30 damaged pictures in a row" in str(report["error"])


def test_nothing_of_opencv_reaches_stderr(run_with_camera: Run) -> None:
    assert run_with_camera(READ, "0", FORMATS="XXXX").stderr == ""


def test_finding_cameras_leaves_no_descriptor_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    find_cameras()
    assert len(os.listdir("/proc/self/fd")) == before
