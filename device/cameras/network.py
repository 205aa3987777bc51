"""Network cameras: MJPEG over HTTP, and RTSP and others through OpenCV's FFmpeg or GStreamer.

MJPEG is taken apart here: FFmpeg decodes a torn picture to a grey one without a word.
"""

from __future__ import annotations

import math
import re
import time
import urllib.error
from collections import deque
from http.client import HTTPException

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import MAX_TORN, Camera, too_many_torn
from edgeinfer.device.cameras.http_stream import HttpBody, Patience, open_http
from edgeinfer.device.cameras.jpeg_stream import JpegSplitter, jpeg_frame
from edgeinfer.device.cameras.opening import GSTREAMER
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.urls import http_request, without_secrets
from edgeinfer.device.errors import CameraError
from edgeinfer.device.quiet_opencv import quiet_opencv
from edgeinfer.device.types import Frame

CHUNK_BYTES = 1 << 16
OPEN_TIMEOUTS = 2
"""How many times a camera's timeout all may take until its answer has begun."""
_SHOWN_REASON = 80
_MJPEG = "multipart/x-mixed-replace"


def open_url(url: str, options: CameraOptions) -> Camera:
    """Open a network camera once.

    Raises:
        CameraError: it cannot be reached, or sends no pictures.
    """
    if url.lower().startswith(("http://", "https://")):
        stream = _open_mjpeg(url, options)
        if stream is not None:
            return MjpegCamera(stream, without_secrets(url), options.timeout_s)
    return OpencvCamera(url, without_secrets(url), options.timeout_s)


class MjpegCamera(Camera):
    """Pictures of an HTTP stream, as JPEGs.

    Args:
        stream: the answer's body.
        shown: what errors call the camera.
        timeout_s: how long it may be without a picture.

    Raises:
        CameraError: it sends no picture.
    """

    live = True

    def __init__(self, stream: HttpBody, shown: str, timeout_s: float) -> None:
        self._stream = stream
        self._shown = shown
        self._timeout_s = timeout_s
        self._splitter = JpegSplitter()
        self._waiting: deque[bytes] = deque()
        self._sequence = 0
        self.description = f"{shown}, MJPEG"

    def read(self) -> Frame | None:
        """Wait for the next whole picture; None at the end of the stream."""
        jpeg = self._next()
        if jpeg is None:
            return None
        self._sequence += 1
        return jpeg_frame(jpeg, self._sequence - 1)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _next(self) -> bytes | None:
        torn_before = self._splitter.torn
        came = False
        self._stream.begin_wait()
        while not self._waiting:
            try:
                data = self._stream.read(CHUNK_BYTES)
            except (OSError, HTTPException, ValueError) as error:
                raise self._stopped(error, came) from error
            if not data:
                return None
            came = True
            self._waiting.extend(self._splitter.feed(data))
            self.skipped_files = self._splitter.torn
            if self._splitter.torn - torn_before >= MAX_TORN:
                raise too_many_torn(self._shown)
        while len(self._waiting) > 1:
            # Of those that came at once only the last is about now.
            self._waiting.popleft()
            self._sequence += 1
        return self._waiting.popleft()

    def _stopped(self, error: Exception, came: bool) -> CameraError:
        if came and isinstance(error, TimeoutError):
            got = f"sends bytes but no picture for {self._timeout_s:.3g} s"
        else:
            got = f"stopped delivering pictures ({_reason(error)})"
        return CameraError(self._shown, got=got)


class OpencvCamera(Camera):
    """A stream that OpenCV decodes: through FFmpeg, or a GStreamer pipeline.

    Args:
        source: a URL, or "gst:PIPELINE".
        shown: what errors call it.
        timeout_s: how long it may be without a picture.

    Raises:
        CameraError: it cannot be opened, or OpenCV lacks what it needs.
    """

    live = True

    def __init__(self, source: str, shown: str, timeout_s: float) -> None:
        import cv2

        quiet_opencv()
        self._shown = shown
        self._timeout_s = timeout_s
        self._sequence = 0
        if source.startswith(GSTREAMER):
            _require_gstreamer(shown)
            pipeline = source[len(GSTREAMER) :]
            if "appsink" not in pipeline:
                pipeline += " ! appsink drop=true max-buffers=1 sync=false"
            self._capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
        else:
            self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, _timeouts(timeout_s))
        pixels = self._decode() if self._capture.isOpened() else None
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

    def read(self) -> Frame | None:
        """Wait for the next picture.

        Raises:
            CameraError: the stream ended, or is silent.
        """
        pixels = self._decode()
        if pixels is None:
            raise self._stopped()
        frame = Frame(
            pixels=pixels,
            format="bgr" if pixels.ndim == 3 else "grey",
            sequence=self._sequence,
            captured_ns=time.monotonic_ns(),
        )
        self._sequence += 1
        return frame

    def skip(self) -> bool:
        """Let a picture go by: its colours need not be converted."""
        if not self._capture.grab():
            raise self._stopped()
        self._sequence += 1
        return True

    def close(self) -> None:
        """Close the stream."""
        self._capture.release()

    def _decode(self) -> NDArray[np.uint8] | None:
        """Return the next picture, (H, W, 3) uint8 BGR or (H, W) uint8 grey."""
        if not self._capture.grab():
            return None
        delivered, picture = self._capture.retrieve()
        fits = delivered and (picture.ndim == 2 or picture.shape[2] == 3)
        return np.asarray(picture, np.uint8) if fits else None

    def _stopped(self) -> CameraError:
        return CameraError(
            self._shown,
            got=f"ended, or is silent for {self._timeout_s:.3g} s",
        )


def _open_mjpeg(url: str, options: CameraOptions) -> HttpBody | None:
    """Return the body of an MJPEG stream; None where the URL gives something else.

    Raises:
        CameraError: there is no answer.
    """
    shown = without_secrets(url)
    total_s = OPEN_TIMEOUTS * options.timeout_s
    if options.give_up_s is not None:
        total_s = min(total_s, max(options.timeout_s, options.give_up_s))
    patience = Patience(options.timeout_s, total_s)
    try:
        body = open_http(http_request(url), patience)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 401 and "digest" in error.headers.get("WWW-Authenticate", "").lower():
            return None  # which FFmpeg knows
        next_step = "check name and password" if error.code in (401, 403) else "check the address"
        reason = str(error.reason)[:_SHOWN_REASON]
        raise CameraError(
            shown, got=f"answers {error.code} ({reason})", next_step=next_step
        ) from error
    except (OSError, HTTPException, ValueError) as error:
        raise CameraError(
            shown,
            got=f"cannot be reached ({_reason(error)})",
            next_step="check its address and that it is on",
        ) from error
    if body.content_type == _MJPEG:
        return body
    body.close()
    return None


def _reason(error: BaseException) -> str:
    """Say in a few words why a connection failed."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    if isinstance(cause, str):
        return cause[:_SHOWN_REASON]
    if type(cause) is HTTPException:
        return str(cause)[:_SHOWN_REASON]
    return type(cause).__name__


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
