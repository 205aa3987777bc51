"""Pictures from another program: JPEGs one behind the other on stdin."""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
import time
from collections import deque

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.network.jpeg_splitter import (
    MAX_JPEG_BYTES,
    JpegSplitter,
    jpeg_frame,
)
from edgeinfer.device.cameras.network.video_kinds import name_video
from edgeinfer.device.cameras.options import SILENCE_S
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame

_LOG = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 16
NAMED_BYTES = 1 << 16
"""How much without a picture is looked at for what it is instead."""
POLL_S = 0.1
"""How often a wait for bytes looks whether it should end."""


class StdinCamera(Camera):
    """JPEGs on stdin, as `rpicam-vid --codec mjpeg -o -` writes them.

    What a program writes is live; a file that is redirected is read whole. The end of stdin is the
    end of the source: nothing here could start the program again.

    Args:
        descriptor: where to read.
        timeout_s: after how long a silence is reported.

    Raises:
        CameraError: stdin is a terminal, or (while reading) is a video or something else, or ends
            without a single picture.
    """

    def __init__(self, descriptor: int = 0, *, timeout_s: float = SILENCE_S) -> None:
        self._descriptor = descriptor
        self._timeout_s = timeout_s
        self._splitter = JpegSplitter()
        self._waiting: deque[bytes] = deque()
        self._interrupted = threading.Event()
        self._sequence = 0
        self._beginning = b""
        self._pictureless = 0
        """How many bytes came since the last picture."""
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError as error:
            raise CameraError("stdin", got="is closed", expected="JPEG pictures") from error
        if os.isatty(descriptor):
            raise CameraError(
                "stdin",
                got="is a terminal",
                expected="JPEG pictures from another program",
                next_step="rpicam-vid --codec mjpeg -t 0 -o - | edgeinfer run --camera -",
            )
        self.live = not stat.S_ISREG(mode)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self.description = "JPEG pictures on stdin"

    def read(self) -> Frame | None:
        """Wait for the next picture; None at the end of stdin, or when interrupted."""
        jpeg = self._next()
        if jpeg is None:
            return None
        self._sequence += 1
        return jpeg_frame(jpeg, self._sequence - 1)

    def skip(self) -> bool:
        """Skip a picture."""
        if self._next() is None:
            return False
        self._sequence += 1
        return True

    def interrupt(self) -> None:
        """Have a waiting `read` return None; the source has ended then."""
        self._interrupted.set()

    def _next(self) -> bytes | None:
        last, reported = time.monotonic(), False
        while not self._waiting:
            if self._interrupted.is_set():
                return None
            if not self._poll.poll(1000 * POLL_S):
                if not reported and time.monotonic() - last > self._timeout_s:
                    reported = True
                    _LOG.warning("stdin: no picture for %.3g s; waiting", self._timeout_s)
                continue
            data = os.read(self._descriptor, CHUNK_BYTES)
            self._waiting.extend(self._splitter.feed(data) if data else self._splitter.end())
            self.skipped_files = self._splitter.damaged
            if self._waiting:
                self._pictureless = 0
                continue
            self._check_kind(data)
            if not data:
                if self._sequence == 0:
                    raise CameraError(
                        "stdin", got="ended without a whole JPEG", expected="JPEG pictures"
                    )
                return None
        if reported:
            _LOG.warning("stdin: pictures again after %.1f s", time.monotonic() - last)
        if self.live:
            # Of those that came together only the last is current.
            while len(self._waiting) > 1:
                self._waiting.popleft()
                self._sequence += 1
        return self._waiting.popleft()

    def _check_kind(self, data: bytes) -> None:
        """Refuse what comes if it is something other than JPEGs."""
        self._pictureless += len(data)
        if self._sequence == 0 and (not data or len(self._beginning) < NAMED_BYTES):
            self._beginning += data
            kind = name_video(self._beginning)
            if kind:
                raise CameraError(
                    "stdin",
                    got=f"is {kind} video",
                    expected="JPEG pictures",
                    next_step="`rpicam-vid --codec mjpeg` writes them, and "
                    "`ffmpeg -i - -f mjpeg -` between the two programs makes them of a video",
                )
        if self._pictureless > MAX_JPEG_BYTES:
            raise CameraError(
                "stdin",
                got=f"has no whole JPEG in {self._pictureless:,} bytes",
                expected="JPEG pictures, one behind the other",
            )
