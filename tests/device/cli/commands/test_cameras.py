"""`edgeinfer cameras` as a separate process, with the shim's devices."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

MAIN = "from edgeinfer.device.cli.main import main; main()"
Run = Callable[..., "subprocess.CompletedProcess[str]"]

WEBCAM = {
    "FORMATS": "YUYV,MJPG,H264",
    "SIZE": "640x480,320x240,1280x720",
    "BANDWIDTH": "20000000",
    "OTHER_PATH": "/dev/video2",
}


def test_cameras_modes_and_controls(run_with_camera: Run) -> None:
    done = run_with_camera(MAIN, "cameras", **WEBCAM)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:5] == [
        "/dev/video0  Test camera, platform:fakev4l2",
        "  YUYV",
        "    640x480    30 15  <- without a model",
        "    320x240    30 15",
        "    1280x720   10 5",
    ]
    assert "  H264  (edgeinfer does not read this format)" in lines
    assert "    brightness               0 to 255 in steps of 5, now 100" in lines
    assert "/dev/video2  Other camera, platform:other" in lines
    assert any("simulated" in line for line in lines)


def test_json(run_with_camera: Run) -> None:
    done = run_with_camera(MAIN, "cameras", "--json", **WEBCAM)
    listing = json.loads(done.stdout)
    first, second = listing["cameras"]
    assert (first["source"], first["kind"], first["name"]) == ("/dev/video0", "v4l2", "Test camera")
    assert first["modes"][2] == {
        "format": "YUYV",
        "size": [1280, 720],
        "fps": [10.0, 5.0],
        "readable": True,
        "chosen": False,
    }
    assert [mode["size"] for mode in first["modes"] if mode["chosen"]] == [[640, 480]]
    assert first["controls"][2]["menu"] == {"1": "Manual Mode", "3": "Aperture Priority Mode"}
    assert second["source"] == "/dev/video2"
    assert listing["denied"] == []


def test_no_camera_is_said_and_no_error(run_with_camera: Run) -> None:
    done = run_with_camera(MAIN, "cameras", MODE="absent")
    assert done.returncode == 0
    assert "no camera found among /dev/video0 to /dev/video63" in done.stdout
    done = run_with_camera(MAIN, "cameras", "--json", MODE="absent")
    assert json.loads(done.stdout) == {"cameras": [], "denied": []}


def test_camera_that_is_denied_is_named_with_the_fix(run_with_camera: Run) -> None:
    done = run_with_camera(MAIN, "cameras", MODE="denied")
    assert done.returncode == 0
    assert "/dev/video0: permission denied" in done.stdout
    assert "sudo usermod -aG video $USER" in done.stdout
    assert "no camera found" not in done.stdout
