from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError, UsageError

SIZE: dict[str, Any] = {"size": (640, 480)}
RATE: dict[str, Any] = {"fps": 15.0}
FORMAT: dict[str, Any] = {"pixel_format": "MJPG"}
CONTROL: dict[str, Any] = {"controls": {"brightness": "50"}}
RANGE: dict[str, Any] = {"raw_range": (3, 900)}


@pytest.mark.parametrize("source", ["simulated", "clip.mp4", "photos/*.jpg", "-", "photos"])
@pytest.mark.parametrize("wishes", [SIZE, RATE, FORMAT, CONTROL, RANGE])
def test_what_is_not_a_camera_refuses_a_cameras_settings(
    source: str, wishes: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match=r"--camera-\w+: is given for .*; leave it out"):
        open_camera(source, options=CameraOptions(**wishes))


@pytest.mark.parametrize("wishes", [SIZE, FORMAT, CONTROL, RANGE])
def test_a_url_has_a_rate_alone(wishes: dict[str, Any]) -> None:
    for source in ("rtsp://user:secret@127.0.0.1:9/x", "gst:videotestsrc ! appsink"):
        with pytest.raises(UsageError, match=r"--camera-\w+: is given for ") as caught:
            open_camera(source, options=CameraOptions(**wishes))
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wishes", [FORMAT, RANGE])
def test_a_camera_of_libcamera_chooses_its_format(wishes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected a camera at /dev/videoN"):
        open_camera("picamera", options=CameraOptions(**wishes))


@pytest.mark.parametrize("wishes", [SIZE, RATE, FORMAT, CONTROL, RANGE])
def test_a_device_is_asked(tmp_path: Path, wishes: dict[str, Any]) -> None:
    with pytest.raises(CameraError):
        open_camera("/dev/video77", options=CameraOptions(**wishes))
