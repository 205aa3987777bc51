"""Video files as sources of frames."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera, Pacer
from edgeinfer.device.cameras.files.containers import SNIFF_BYTES, is_playlist, is_video
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv

_LOG = logging.getLogger(__name__)

PLAUSIBLE_FPS = (1.0, 240.0)
"""A rate that a video file gives outside of this is a damaged header's."""
DEFAULT_FPS = 30.0

MAX_FRAME_PIXELS = 36_000_000
"""Most pixels of a frame: 8K has 33 or 35 million."""

SHORT_BY = 0.05
"""How much of a video may be missing without a warning: some containers only estimate their
length."""


class VideoCamera(Camera):
    """A video file, from its first frame to its last.

    Args:
        path: the file.
        realtime: deliver the frames at the file's own rate, as a live source.

    Raises:
        CameraError: not one frame can be decoded.
    """

    def __init__(self, path: Path, *, realtime: bool = False) -> None:
        quiet_opencv()
        self._path = path
        self._sequence = 0
        _check_content(path)
        # An absolute path: FFmpeg takes the text before a colon for a protocol.
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, _decoder_options())
        self._pool = FramePool()
        try:
            self._ahead = self._decode()
        except CameraError:
            self._capture.release()
            raise
        if self._ahead is None:
            self._capture.release()
            raise _no_video(path, "no frame can be decoded")
        self._announced = max(0.0, self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not (math.isfinite(fps) and PLAUSIBLE_FPS[0] <= fps <= PLAUSIBLE_FPS[1]):
            fps = DEFAULT_FPS
        self._pacer = Pacer(fps) if realtime else None
        self.live = realtime
        height, width = self._ahead.shape[:2]
        self.description = f"{path}, {width}x{height}, {fps:.4g} frames/s"
        if realtime:
            self.description += " in real time"

    def read(self) -> Frame | None:
        """Decode the next frame; None at the end of the file."""
        pixels = self._ahead if self._ahead is not None else self._decode()
        self._ahead = None
        if pixels is None:
            self._check_length()
            return None
        captured_ns = self._pacer.wait() if self._pacer else time.monotonic_ns()
        frame = Frame(
            pixels=pixels,
            format="bgr",
            sequence=self._sequence,
            captured_ns=captured_ns,
            name=self._path.name,
        )
        self._sequence += 1
        return frame

    def skip(self) -> bool:
        """Skip a frame: its colours need not be converted."""
        if self._ahead is not None:
            self._ahead = None
        elif not self._capture.grab():
            self._check_length()
            return False
        if self._pacer is not None:
            self._pacer.wait()
        self._sequence += 1
        return True

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _decode(self) -> NDArray[np.uint8] | None:
        """Return the next picture, (H, W, 3) uint8 BGR.

        Raises:
            CameraError: it is absurdly large.
        """
        if not self._capture.grab():
            return None
        width, height = checked_frame_size(self._capture, self._path)
        buffer = self._pool.take((height, width, 3))
        # A picture of another size than announced gets separate memory.
        delivered, picture = self._capture.retrieve(buffer)
        return np.asarray(picture, np.uint8) if delivered else None

    def _check_length(self) -> None:
        if self._sequence < self._announced * (1 - SHORT_BY):
            _LOG.warning(
                "%s: ended after %d of %.0f frames; the file is damaged or truncated",
                self._path,
                self._sequence,
                self._announced,
            )
            self._announced = 0.0


def checked_frame_size(capture: cv2.VideoCapture, subject: object) -> tuple[int, int]:
    """Return (width, height) of the frame that was grabbed, before memory is taken for it.

    Raises:
        CameraError: it is absurdly large.
    """
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if not 0 <= width * height <= MAX_FRAME_PIXELS:
        raise CameraError(
            subject,
            got=f"has frames of {width} x {height} pixels",
            expected=f"at most {MAX_FRAME_PIXELS:,} pixels, as 8K has",
        )
    return width, height


def _check_content(path: Path) -> None:
    """Refuse what FFmpeg might open though it holds no pictures."""
    # What is read of a pipe is lost; this machine's user says where one leads.
    if path.exists() and not path.is_file():
        return
    try:
        with path.open("rb") as file:
            beginning = file.read(SNIFF_BYTES)
    except OSError as error:
        raise CameraError(
            path,
            got=f"cannot be read ({(error.strerror or str(error)).lower()})",
            next_step="check its permissions",
        ) from error
    if not beginning:
        raise _no_video(path, "is empty")
    if is_playlist(beginning):
        raise CameraError(
            path,
            got="is a playlist, which names other files",
            expected="a video file",
            next_step="name the video itself",
        )
    if not is_video(beginning):
        raise _no_video(path, "no frame can be decoded: it does not begin like a known video")


def _no_video(path: Path, got: str) -> CameraError:
    return CameraError(
        path,
        got=got,
        expected="a complete video file",
        next_step="play it elsewhere to see whether it is damaged",
    )


def _decoder_options() -> list[int]:
    """Have FFmpeg decode on one thread, where OpenCV has an option for it.

    By itself it takes one for each core and decodes frames ahead on all of them. That takes the
    cores from the inference: on two of them, two frames side by side came out 8 % slower.
    """
    threads = getattr(cv2, "CAP_PROP_N_THREADS", None)
    return [] if threads is None else [threads, 1]
