"""Cameras at a Raspberry Pi's own socket (CSI), through Picamera2.

The ISP makes a small picture in addition to the main one; at the model's size it costs the CPU
nothing to scale. Source: the Picamera2 manual, "Configuring the camera" (main and lores streams,
YUV420) and libcamera's controls (SensorTimestamp counts since boot).
"""

from __future__ import annotations

import concurrent.futures
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.modes import USUAL_SIZE
from edgeinfer.device.cameras.v4l2.pixels import unpack
from edgeinfer.device.core.errors import CameraError, UsageError
from edgeinfer.device.pictures.frame import Frame

DEFAULT_FPS = 30.0
BUFFERS = 4
MAX_STAMP_AGE_NS = 10**9
"""A picture's time further back than this is not believed."""


def picamera_number(source: str) -> int:
    """Return the camera's number in "picamera" or "picamera:N".

    Raises:
        CameraError: there is no such number.
    """
    _, colon, number = source.partition(":")
    if not colon:
        return 0
    if not (number.isascii() and number.isdigit()):
        raise CameraError(source, got=f"'{number}' is not a number", expected="picamera:0, :1, ...")
    return int(number)


def import_picamera2() -> Any:
    """Return the module `picamera2`.

    Raises:
        CameraError: this Python does not see it.
    """
    try:
        import picamera2
    except ImportError as error:
        raise CameraError(
            "picamera",
            got=f"Picamera2 cannot be imported ({error})",
            expected="Raspberry Pi OS's package",
            next_step="sudo apt install python3-picamera2, and a virtual environment that sees it: "
            "python3 -m venv --system-site-packages",
        ) from error
    return picamera2


class PicameraCamera(Camera):
    """A CSI camera's low-resolution stream, scaled by the ISP to just cover the model's input.

    Args:
        number: Picamera2's number of it.
        options: size, rate, controls and how long it may be silent.

    Raises:
        CameraError: Picamera2 is not there, or the camera cannot be started.
        UsageError: it has no such control.
    """

    live = True

    def __init__(self, number: int, options: CameraOptions) -> None:
        self._name = f"picamera:{number}"
        self._timeout_s = options.timeout_s
        self._pool = FramePool()
        self._sequence = 0
        self._last_stamp: int | None = None
        module = import_picamera2()
        found = module.Picamera2.global_camera_info()
        if number >= len(found):
            raise CameraError(
                self._name,
                got=f"{len(found)} camera{'s' * (len(found) != 1)} found",
                next_step="check the ribbon cable with the power off",
            )
        width, height = options.size or options.covers or USUAL_SIZE
        # Planes of half the size need even sides.
        size = (width + width % 2, height + height % 2)
        try:
            self._camera = module.Picamera2(number)
        except Exception as error:
            raise self._failed("cannot be opened", error) from error
        try:
            self._start(size, options)
        except BaseException:
            self.close()
            raise
        model = found[number].get("Model", "camera")
        self.description = (
            f"{self._name} ({model}), {self._size[0]}x{self._size[1]} YUV420 from the ISP, "
            f"{options.fps or DEFAULT_FPS:.4g} frames/s"
        )

    def read(self) -> Frame | None:
        """Wait for the next picture.

        Raises:
            CameraError: the camera is silent or failed.
        """
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            request = self._request()
            try:
                stamp_ns = request.get_metadata().get("SensorTimestamp")
                if stamp_ns is None or stamp_ns != self._last_stamp:
                    pixels = self._pixels(request.make_array("lores"))
                    break
            finally:
                request.release()
        else:
            raise CameraError(self._name, got=f"repeats one picture for {self._timeout_s:.3g} s")
        self._last_stamp = stamp_ns
        sequence, self._sequence = self._sequence, self._sequence + 1
        return Frame(
            pixels=pixels,
            format="nv12",
            sequence=sequence,
            captured_ns=_on_our_clock(stamp_ns),
        )

    def skip(self) -> bool:
        """Skip a picture without copying it."""
        self._request().release()
        self._sequence += 1
        return True

    def close(self) -> None:
        """Stop and release the camera."""
        self._camera.close()

    def _start(self, size: tuple[int, int], options: CameraOptions) -> None:
        controls = self._controls(options)
        try:
            configuration = self._camera.create_video_configuration(
                # The main stream must not be smaller; nobody takes it.
                main={
                    "size": (max(size[0], USUAL_SIZE[0]), max(size[1], USUAL_SIZE[1])),
                    "format": "YUV420",
                },
                lores={"size": size, "format": "YUV420"},
                controls={"FrameRate": options.fps or DEFAULT_FPS} | controls,
                buffer_count=BUFFERS,
                # A picture that was ready before it was asked for is an old one.
                queue=False,
            )
            self._camera.configure(configuration)
            lores = self._camera.camera_configuration()["lores"]
            self._size, self._stride = tuple(lores["size"]), int(lores["stride"])
            self._camera.start()
        except Exception as error:
            raise self._failed("cannot be started", error) from error

    def _controls(self, options: CameraOptions) -> dict[str, Any]:
        """Return the controls by libcamera's names; case and underscores do not matter."""
        known = {name.lower(): name for name in self._camera.camera_controls}
        chosen: dict[str, Any] = {}
        for wanted, text in options.controls.items():
            name = known.get(wanted.replace("_", "").lower())
            if name is None:
                raise UsageError(
                    self._name,
                    got=f"has no control '{wanted}'",
                    expected=f"one of {', '.join(sorted(known.values()))}",
                )
            lowest, highest, _ = self._camera.camera_controls[name]
            try:
                values = [_number(part) for part in text.split(",")]
                if not all(lowest <= value <= highest for value in values):
                    raise ValueError
            except (TypeError, ValueError) as error:
                raise UsageError(
                    f"{self._name}: control {name}",
                    got=f"'{text}' is not a value of it",
                    expected=f"{lowest} to {highest}",
                ) from error
            chosen[name] = values[0] if len(values) == 1 else tuple(values)
        return chosen

    def _request(self) -> Any:
        job = self._camera.capture_request(wait=False)
        try:
            return job.get_result(timeout=self._timeout_s)
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            raise CameraError(
                self._name,
                got=f"stopped delivering pictures for {self._timeout_s:.3g} s",
                next_step="check the ribbon cable with the power off",
            ) from error
        except Exception as error:
            raise self._failed("failed", error) from error

    def _pixels(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Copy the planes of a request, (H * 3 / 2, stride) uint8, out as NV12."""
        pixels = unpack([data.reshape(-1)], "YU12", self._size, [self._stride], self._pool.take)
        if pixels is None:
            raise CameraError(
                self._name,
                got=f"gives pictures of {data.shape}",
                expected=f"{self._size[0]}x{self._size[1]} in YUV420",
            )
        return pixels

    def _failed(self, what: str, error: Exception) -> CameraError:
        return CameraError(
            self._name,
            got=f"{what} ({str(error) or type(error).__name__})",
            next_step="another program may use it; check the ribbon cable with the power off",
        )


def _number(text: str) -> int | float | bool:
    text = text.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return float(text)


def _on_our_clock(stamp_ns: int | None) -> int:
    """Turn a time since boot, sleep included, into one on `time.monotonic_ns()`'s clock."""
    now_ns = time.monotonic_ns()
    if stamp_ns is None:
        return now_ns
    age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - stamp_ns
    return now_ns - age_ns if 0 <= age_ns <= MAX_STAMP_AGE_NS else now_ns
