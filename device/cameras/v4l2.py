"""Cameras that Linux shows as /dev/videoN (V4L2): USB webcams and capture cards.

OpenCV does the work; what it lets pass is checked here: format and size of every picture, torn
pictures, silence. Of the sizes, it asks for 640x480 by itself, which covers the input of the models
that a board runs.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera, quiet_opencv
from edgeinfer.device.cameras.v4l2_devices import examine
from edgeinfer.device.errors import CameraError, printable
from edgeinfer.device.types import Frame

COMPRESSED = ("MJPG", "JPEG")
JPEG_END = b"\xff\xd9"
ENOUGH_FPS = 24.0
"""Raw pictures are taken when they come at least this fast; they need no decoding."""
STALL_TIMEOUT_S = 5
"""How long a camera may be silent; the slowest need about 3 s before their first frame."""
MAX_STAMP_AGE_NS = 2 * 10**9
"""A driver's time stamp further back than this was taken by another clock than ours."""
MAX_TORN = 30
"""How many undecodable pictures in a row are a broken stream rather than a bad cable's noise."""


class V4l2Camera(Camera):
    """A camera that Linux shows as /dev/videoN.

    Raises:
        CameraError: it is absent, denied, busy, no camera, or gives no usable picture.
    """

    live = True

    def __init__(self, path: Path) -> None:
        quiet_opencv()
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(STALL_TIMEOUT_S))
        self._path = path
        self._sequence = 0
        name = examine(path)
        self._capture = self._open()
        self._fetch_bytes()
        try:
            self._prefer_fast()
            self._next()
        except CameraError:
            self.close()
            raise
        width, height = self._announced_size()
        self.description = (
            f"{path} ({name}), {width}x{height} {self._fourcc()}, {self._fps():.4g} frames/s"
        )

    def read(self) -> Frame:
        """Wait for the next picture.

        Raises:
            CameraError: the camera was unplugged, is silent, or sends pictures of another shape.
        """
        return self._next()

    def close(self) -> None:
        """Release the device."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise CameraError(
                self._path,
                got="sends no format that OpenCV reads",
                expected="YUYV, MJPG or another common format",
                next_step=f"`v4l2-ctl -d {self._path} --list-formats` names its formats",
            )
        return capture

    def _prefer_fast(self) -> None:
        """Ask for compressed pictures where raw ones come slowly, as over USB 2.

        OpenCV says yes to a format that the driver then refuses, and delivers one long row of
        bytes: only a picture proves the format.
        """
        if not 0 < self._fps() < ENOUGH_FPS or self._compressed:
            return
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._fetch_bytes()
        try:
            self._next()
            proven = self._compressed
        except CameraError:
            proven = False
        if not proven:
            self._capture.release()
            self._capture = self._open()
            self._fetch_bytes()

    def _fetch_bytes(self) -> None:
        """Have compressed pictures delivered as they come, see `_decode`."""
        self._compressed = self._fourcc() in COMPRESSED and self._capture.set(
            cv2.CAP_PROP_CONVERT_RGB, 0
        )

    def _next(self) -> Frame:
        """Return the next picture that can be decoded, checked against the announced size."""
        for _ in range(MAX_TORN):
            if not self._capture.grab():
                raise CameraError(
                    self._path,
                    got="stopped delivering pictures",
                    next_step="check its cable and power, then start again",
                )
            captured_ns = self._captured_ns()
            sequence = self._sequence
            self._sequence += 1
            picture = self._decode()
            if picture is None:
                continue
            width, height = self._announced_size()
            if picture.shape != (height, width, 3) or picture.dtype != np.uint8:
                raise CameraError(
                    self._path,
                    got=f"picture {sequence} is {picture.shape} {picture.dtype}",
                    expected=f"({height}, {width}, 3) uint8, as the camera announced",
                    next_step="reconnect the camera",
                )
            pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            return Frame(pixels=pixels, sequence=sequence, captured_ns=captured_ns)
        raise CameraError(
            self._path,
            got=f"{MAX_TORN} damaged pictures in a row",
            next_step="check its cable and power, then start again",
        )

    def _decode(self) -> NDArray[Any] | None:
        """Return the grabbed picture, (H, W, 3) uint8 BGR; None for a torn one.

        Compressed pictures are fetched as bytes: OpenCV's own decoding gives the picture before
        once more, without a word, when one is torn.
        """
        delivered, picture = self._capture.retrieve()
        if not delivered or picture is None:
            return None
        if self._compressed:
            whole = picture.tobytes().rstrip(b"\0").endswith(JPEG_END)  # some fill up with zeros
            return cv2.imdecode(picture, cv2.IMREAD_COLOR) if whole else None
        return picture

    def _captured_ns(self) -> int:
        """Return when the driver took the picture, or now where its clock is not ours.

        Right after opening, the driver's queue may hold pictures from before the loop began;
        taking their own time keeps the age of an answer honest.
        """
        now_ns = time.monotonic_ns()
        stamp_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp_ns if 0 <= now_ns - stamp_ns < MAX_STAMP_AGE_NS else now_ns

    def _announced_size(self) -> tuple[int, int]:
        return (
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )

    def _fps(self) -> float:
        return float(self._capture.get(cv2.CAP_PROP_FPS))

    def _fourcc(self) -> str:
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        return printable(struct.pack("<I", code & 0xFFFFFFFF).decode("latin-1"))
