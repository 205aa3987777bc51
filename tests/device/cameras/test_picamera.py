"""What is ours of the way through Picamera2, with a stand-in for the module.

The stand-in has the documented interface and nothing of a camera in it; this shows that sizes,
strides, clocks, controls and faults are handled, not that a camera works.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.cameras.list_cameras import list_cameras
from edgeinfer.device.cameras.open import is_device, open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.picamera import PicameraCamera, picamera_number
from edgeinfer.device.core.errors import CameraError, UsageError

STRIDE = 64
"""The ISP's rows are longer than the picture."""


class Request:
    def __init__(self, camera: FakePicamera) -> None:
        self._camera = camera

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": self._camera.stamp_ns()}

    def make_array(self, name: str) -> np.ndarray[Any, Any]:
        assert name == "lores"
        height = self._camera.configuration["lores"]["size"][1]
        data = np.zeros((height * 3 // 2, STRIDE), np.uint8)
        data[:height] = 81  # red in YUV: 81, 90, 240
        data.reshape(-1)[height * STRIDE : height * STRIDE * 5 // 4] = 90
        data.reshape(-1)[height * STRIDE * 5 // 4 :] = 240
        return data

    def release(self) -> None:
        self._camera.released += 1


class FakePicamera:
    """As `picamera2.Picamera2`."""

    cameras: tuple[dict[str, str], ...] = (
        {"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a"},
        {"Model": "Webcam", "Id": "/base/scb/pcie/usb@0,0-1:1.0-046d:0825"},
    )
    camera_controls = {  # noqa: RUF012
        "ExposureTime": (1, 66666, 20000),
        "AeEnable": (False, True, True),
        "ColourGains": (0.0, 32.0, 1.0),
    }

    def __init__(self, number: int) -> None:
        self.number = number
        self.silent = self.frozen = self.closed = False
        self.released = 0

    @classmethod
    def global_camera_info(cls) -> list[dict[str, str]]:
        return list(cls.cameras)

    def create_video_configuration(self, **configuration: Any) -> dict[str, Any]:
        return configuration

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def camera_configuration(self) -> dict[str, Any]:
        lores = self.configuration["lores"]
        return {**self.configuration, "lores": {**lores, "stride": STRIDE}}

    def start(self) -> None:
        return

    def stamp_ns(self) -> int:
        return 1 if self.frozen else time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 30_000_000

    def capture_request(self, *, wait: bool) -> Any:
        assert not wait

        def result(timeout: float) -> Request:
            if self.silent:
                raise TimeoutError
            return Request(self)

        return SimpleNamespace(get_result=result)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(Picamera2=FakePicamera, __spec__=SimpleNamespace(name="picamera2"))
    monkeypatch.setitem(sys.modules, "picamera2", module)


def opened(**options: Any) -> tuple[PicameraCamera, FakePicamera]:
    camera = PicameraCamera(0, CameraOptions(**options))
    fake: FakePicamera = camera._camera
    return camera, fake


@pytest.mark.usefixtures("picamera2")
def test_picture_of_the_models_size_from_the_isp() -> None:
    camera, fake = opened(covers=(33, 24), fps=10)
    configuration = fake.configuration
    assert configuration["lores"] == {"size": (34, 24), "format": "YUV420"}
    assert configuration["main"]["size"] == (640, 480)
    assert configuration["controls"] == {"FrameRate": 10}
    assert camera.description == "picamera:0 (imx708), 34x24 YUV420 from the ISP, 10 frames/s"
    before_ns = time.monotonic_ns()
    frame = camera.read()
    assert frame is not None
    assert (frame.format, frame.pixels.shape) == ("nv12", (36, 34))
    red, green, blue = frame.rgb()[12, 17]
    assert red > 240
    assert max(green, blue) < 15
    # The sensor's clock goes on while the machine sleeps; the frame's is the loop's.
    assert before_ns - 1_000_000 <= frame.captured_ns + 30_000_000 <= time.monotonic_ns()
    assert camera.skip()
    camera.close()
    assert fake.released == 2
    assert fake.closed


@pytest.mark.usefixtures("picamera2")
def test_memory_is_used_again() -> None:
    camera, _ = opened(covers=(32, 24))
    first = camera.read()
    assert first is not None
    kept = first.pixels[:24]
    kept[...] = 1
    del first
    for _ in range(50):
        assert camera.read() is not None
    assert (kept == 1).all()
    assert camera._pool.allocated == 2


@pytest.mark.usefixtures("picamera2")
def test_silence_and_repetition_are_faults() -> None:
    camera, fake = opened(covers=(32, 24), timeout_s=0.1)
    fake.silent = True
    with pytest.raises(CameraError, match=r"stopped delivering pictures for 0\.1 s"):
        camera.read()
    fake.silent, fake.frozen = False, True
    camera.read()
    with pytest.raises(CameraError, match="repeats one picture"):
        camera.read()
    assert fake.released > 1


@pytest.mark.usefixtures("picamera2")
def test_controls_by_name() -> None:
    controls = {"exposure_time": "5000", "aeenable": "false", "ColourGains": "1.5,2"}
    _, fake = opened(controls=controls)
    assert fake.configuration["controls"] == {
        "FrameRate": 30.0,
        "ExposureTime": 5000,
        "AeEnable": False,
        "ColourGains": (1.5, 2),
    }


@pytest.mark.usefixtures("picamera2")
@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ({"zoom": "1"}, "has no control 'zoom', expected one of AeEnable, ColourGains, Exposure"),
        (
            {"exposure_time": "0"},
            "ExposureTime: '0' is not a value of it, expected 1 to 66666",
        ),
        ({"exposure_time": "long"}, "'long' is not a value of it"),
    ],
)
def test_control_that_cannot_be_set(controls: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        opened(controls=controls)


@pytest.mark.usefixtures("picamera2")
def test_opening_by_name() -> None:
    assert is_device("picamera")
    with open_camera("picamera:0", options=CameraOptions(covers=(32, 32))) as camera:
        assert camera.live
        assert camera.description.startswith("picamera:0 (imx708), 32x32")
        assert camera.read() is not None
    with pytest.raises(CameraError, match="picamera:7: 2 cameras found"):
        open_camera("picamera:7")


@pytest.mark.usefixtures("picamera2")
def test_listing_leaves_usb_cameras_to_v4l2() -> None:
    assert [camera.to_json() for camera in list_cameras().csi] == [
        {"source": "picamera:0", "kind": "picamera", "name": "imx708"}
    ]


def test_without_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="sudo apt install python3-picamera2"):
        open_camera("picamera")
    assert list_cameras().csi == []


@pytest.mark.parametrize("source", ["picamera:", "picamera:x", "picamera:-1", "picamera:²"])
def test_number_that_is_none(source: str) -> None:
    with pytest.raises(CameraError, match="is not a number, expected picamera:0"):
        picamera_number(source)
