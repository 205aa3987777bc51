"""Network cameras: MJPEG over HTTP, and RTSP and others through OpenCV's FFmpeg or GStreamer.

`mjpeg` splits MJPEG into pictures: FFmpeg decodes a damaged picture to a grey one without an error.
"""

from __future__ import annotations

import math
import re
import time

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.network.live.live_pictures import LivePictures
from edgeinfer.device.cameras.network.mjpeg import open_http
from edgeinfer.device.cameras.network.protocol.tls import Trust
from edgeinfer.device.cameras.network.rtsp_probe import explain_rtsp
from edgeinfer.device.cameras.network.snapshot import SNAPSHOT_FPS
from edgeinfer.device.cameras.network.urls import check_password, is_http
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.camera_url import GSTREAMER, without_secrets
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv


def open_url(
    url: str, options: CameraOptions, fps: float = SNAPSHOT_FPS, trust: Trust | None = None
) -> Camera:
    """Open a network camera once.

    Args:
        url: where it is.
        options: how long to wait for it.
        fps: how often it is asked, per second, if it gives one picture for each request.
        trust: which certificates are accepted; None for those of the system's authorities.

    Raises:
        CameraError: it cannot be reached, or sends no pictures.
    """
    shown = without_secrets(url)
    check_password(url)
    try:
        if is_http(url):
            camera = open_http(url, options, fps, trust or Trust())
            if camera is not None:
                return camera
        return OpencvCamera(url, shown, options.timeout_s)
    except CameraError:
        check_password(url, certain=False)
        if url.lower().startswith(("rtsp://", "rtsps://")):
            explain_rtsp(url, options.timeout_s)
        raise


class OpencvCamera(Camera):
    """A stream that OpenCV decodes: through FFmpeg, or a GStreamer pipeline.

    Args:
        source: a URL, or "gst:PIPELINE".
        shown: what errors call it.
        timeout_s: how long it may be without a picture.

    Raises:
        CameraError: it cannot be opened, or OpenCV does not have what it needs.
    """

    live = True

    def __init__(self, source: str, shown: str, timeout_s: float) -> None:
        import cv2

        quiet_opencv()
        self._shown = shown
        self._timeout_s = timeout_s
        self._sequence = 0
        self._live: LivePictures | None = None
        if source.startswith(GSTREAMER):
            _require_gstreamer(shown)
            pipeline = source[len(GSTREAMER) :]
            if "appsink" not in pipeline:
                pipeline += " ! appsink drop=true max-buffers=1 sync=false"
            self._capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
        else:
            self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, _timeouts(timeout_s))
            if hasattr(cv2, "CAP_PROP_ORIENTATION_AUTO"):
                # Of a clip at an address: 4.11 turns it when it is asked to, others by themselves.
                self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        # The first picture proves the stream; its age is not known yet, often not even its time.
        proven = self._capture.isOpened() and self._capture.grab()
        pixels = self._decode() if proven else None
        if pixels is None:
            self._capture.release()
            raise CameraError(
                shown,
                got="cannot be opened as a video stream",
                expected="a stream that FFmpeg reads"
                if not source.startswith(GSTREAMER)
                else "a pipeline that gives BGR or grey pictures",
                next_step="check its address, name and password, and that it can be reached",
            )
        height, width = pixels.shape[:2]
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.description = f"{shown}, {width}x{height}"
        if math.isfinite(fps) and 1 <= fps <= 240:
            self.description += f", {fps:.4g} frames/s"
        if not source.startswith(GSTREAMER):
            scheme = source.partition("://")[0].lower()
            self._live = LivePictures(self._capture, scheme, shown, timeout_s)

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Pictures that were too old, so far."""
        return 0 if self._live is None else self._live.dropped

    def read(self) -> Frame | None:
        """Wait for the next new picture.

        Raises:
            CameraError: the stream ended, is silent, or has only old pictures.
        """
        captured_ns = self._grab()
        pixels = self._decode()
        if pixels is None:
            raise self._stopped()
        self._sequence += 1
        return Frame(
            pixels=pixels,
            format="bgr" if pixels.ndim == 3 else "grey",
            sequence=self._sequence - 1 + self.dropped,
            captured_ns=captured_ns,
        )

    def skip(self) -> bool:
        """Skip a new picture: its colours need not be converted."""
        self._grab()
        self._sequence += 1
        return True

    def close(self) -> None:
        """Close the stream."""
        self._capture.release()

    def _grab(self) -> int:
        """Have the next new picture decoded; return when it was captured."""
        if self._live is not None:
            return self._live.grab()
        if not self._capture.grab():
            raise self._stopped()
        return time.monotonic_ns()

    def _decode(self) -> NDArray[np.uint8] | None:
        """Return the picture that was grabbed, (H, W, 3) uint8 BGR or (H, W) uint8 grey."""
        from edgeinfer.device.cameras.files.video import checked_frame_size

        checked_frame_size(self._capture, self._shown)
        delivered, picture = self._capture.retrieve()
        fits = delivered and picture is not None and (picture.ndim == 2 or picture.shape[2] == 3)
        return np.asarray(picture, np.uint8) if fits else None

    def _stopped(self) -> CameraError:
        return CameraError(
            self._shown,
            got=f"ended, or is silent for {self._timeout_s:.3g} s",
        )


def _timeouts(timeout_s: float) -> list[int]:
    """Return the options that limit FFmpeg's waits, where OpenCV has them."""
    import cv2

    options: list[int] = []
    for name, value in (
        ("CAP_PROP_OPEN_TIMEOUT_MSEC", round(2000 * timeout_s)),
        ("CAP_PROP_READ_TIMEOUT_MSEC", round(1000 * timeout_s)),
        ("CAP_PROP_N_THREADS", 1),
    ):
        if hasattr(cv2, name):
            options += [getattr(cv2, name), value]
    return options


def has_gstreamer() -> bool:
    """Whether this OpenCV can run GStreamer pipelines."""
    import cv2

    registry = cv2.videoio_registry
    if hasattr(registry, "hasBackend"):  # OpenCV 4.8 on
        return bool(registry.hasBackend(cv2.CAP_GSTREAMER))
    return re.search(r"GStreamer: +YES", cv2.getBuildInformation()) is not None


def _require_gstreamer(shown: str) -> None:
    if not has_gstreamer():
        raise CameraError(
            shown,
            got="this OpenCV was built without GStreamer",
            expected="one that has it, such as Debian's",
            next_step="apt install python3-opencv, and a virtual environment that sees it: "
            "python3 -m venv --system-site-packages",
        )
