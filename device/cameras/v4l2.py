"""Cameras that Linux shows as /dev/videoN (V4L2): USB webcams and capture cards.

OpenCV does the work; what it lets pass is checked here: format and size of every picture, torn
pictures, silence. Pictures are handed on as the camera sends them (YUYV, NV12, MJPG, grey). Of the
sizes, it asks for 640x480 by itself, which covers the input of the models that a board runs.
"""

from __future__ import annotations

import math
import os
import struct
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.buffers import FramePool
from edgeinfer.device.cameras.base import MAX_TORN, Camera, quiet_opencv, too_many_torn
from edgeinfer.device.cameras.v4l2_devices import examine
from edgeinfer.device.errors import CameraError, printable
from edgeinfer.device.formats import picture_shape
from edgeinfer.device.image_headers import HeaderError, read_header
from edgeinfer.device.types import Frame, FrameFormat

_FORMATS: dict[str, FrameFormat] = {
    "YUYV": "yuyv",
    "NV12": "nv12",
    "GREY": "grey",
    "MJPG": "jpeg",
    "JPEG": "jpeg",
}
"""What preprocessing takes as it comes, by V4L2's name; OpenCV turns the others into BGR."""
COMPRESSED = ("MJPG", "JPEG")
ENOUGH_FPS = 24.0
"""Raw pictures are taken when they come at least this fast; they need no decoding."""
STALL_TIMEOUT_S = 5
"""How long a camera may be silent; the slowest need about 3 s before their first frame."""
MAX_STAMP_AGE_NS = 2 * 10**9
"""A driver's time stamp further back than this was taken by another clock than ours."""


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
        self._pool = FramePool()
        self._format: FrameFormat = "bgr"
        name = examine(path)
        self._capture = self._open()
        self._fetch_bytes()
        try:
            self._prefer_fast()
            self._prove()
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

    def skip(self) -> bool:
        """Let a picture go by."""
        self._grab()
        self._sequence += 1
        return True

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
        if not 0 < self._fps() < ENOUGH_FPS or self._fourcc() in COMPRESSED:
            return
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._fetch_bytes()
        try:
            self._next()
            proven = self._fourcc() in COMPRESSED
        except CameraError:
            proven = False
        if not proven:
            self._capture.release()
            self._capture = self._open()
            self._fetch_bytes()

    def _prove(self) -> None:
        """Take a picture; where it does not come as expected, let OpenCV convert them."""
        try:
            self._next()
        except CameraError:
            if self._format in ("bgr", "jpeg") or not self._capture.set(
                cv2.CAP_PROP_CONVERT_RGB, 1
            ):
                raise
            self._format = "bgr"
            self._next()

    def _fetch_bytes(self) -> None:
        """Have pictures delivered as the camera sends them, where preprocessing takes them so.

        It saves a conversion of every pixel. And of compressed pictures OpenCV's own decoding
        gives the one before once more, without a word, when one is torn.
        """
        self._format = _FORMATS.get(self._fourcc(), "bgr")
        self._flat = False
        if self._format != "bgr" and not self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0):
            self._format = "bgr"

    def _next(self) -> Frame:
        """Return the next picture that is whole, checked against the announced size."""
        for _ in range(MAX_TORN):
            self._grab()
            captured_ns = self._captured_ns()
            sequence = self._sequence
            self._sequence += 1
            pixels = self._fetch(sequence)
            if pixels is not None:
                return Frame(
                    pixels=pixels, format=self._format, sequence=sequence, captured_ns=captured_ns
                )
        raise too_many_torn(self._path)

    def _grab(self) -> None:
        if not self._capture.grab():
            raise CameraError(
                self._path,
                got="stopped delivering pictures",
                next_step="check its cable and power, then start again",
            )

    def _fetch(self, sequence: int) -> NDArray[np.uint8] | None:
        """Return the grabbed picture as it came; None for a torn one."""
        width, height = self._announced_size()
        if self._format == "jpeg":
            delivered, data = self._capture.retrieve()
            try:
                size = read_header(data.tobytes()).size if delivered else None
            except HeaderError:
                return None
            picture: Any = data.reshape(-1)
        else:
            shape = picture_shape((width, height), self._format)
            # Newer versions of OpenCV give one long row of bytes.
            flat = self._format != "bgr" and self._flat
            buffer = self._pool.take((1, math.prod(shape)) if flat else shape)
            delivered, picture = self._capture.retrieve(buffer)
            if delivered and self._format != "bgr":
                self._flat = picture.shape[0] == 1 and picture.size == math.prod(shape)
                picture = picture.reshape(shape) if self._flat else picture
            fits = delivered and (picture.shape, picture.dtype) == (shape, np.uint8)
            size = (width, height) if fits else None
        if not delivered:
            return None
        if size != (width, height):
            got = f"{size[0]}x{size[1]}" if size else f"{picture.shape} {picture.dtype}"
            raise CameraError(
                self._path,
                got=f"picture {sequence} is {got}",
                expected=f"{width}x{height}, as the camera announced",
                next_step="reconnect the camera",
            )
        return np.asarray(picture, np.uint8)

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
