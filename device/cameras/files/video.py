"""Video files as sources of frames."""

from __future__ import annotations

import logging
import time
from collections import deque
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.read import read_clip_facts
from edgeinfer.device.cameras.files.clips.timing import (
    LONGEST_STEP_S,
    LONGEST_STREAM_STEP_S,
    Playback,
    Positions,
    plausible_fps,
)
from edgeinfer.device.cameras.files.clips.turn import (
    Turner,
    leave_as_stored,
    reported_orientation,
)
from edgeinfer.device.cameras.files.clips.undecodable import no_video, undecodable
from edgeinfer.device.cameras.files.containers import SNIFF_BYTES, is_playlist, is_video
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv

_LOG = logging.getLogger(__name__)

MAX_FRAME_PIXELS = 36_000_000
"""Most pixels of a frame: 8K has 33 or 35 million."""

MAX_FRAMES = 2**40
"""A count beyond this is one that OpenCV computed of an unknown length."""

SHORT_BY = 0.05
"""How much of a video may be missing without a warning: some containers only estimate their
length."""


class VideoCamera(Camera):
    """A video file, from its first frame to its last, upright as its container says.

    Args:
        path: the file.
        realtime: deliver the frames by the times that they have in the file, as a live source.

    Raises:
        CameraError: not one frame can be decoded.
    """

    def __init__(self, path: Path, *, realtime: bool = False) -> None:
        quiet_opencv()
        self._path = path
        self._sequence = 0
        self._told = False
        self._facts = _read_facts(path)
        # An absolute path: FFmpeg takes the text before a colon for a protocol.
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, _decoder_options())
        leave_as_stored(self._capture)
        orientation = self._facts.orientation
        self._turner = Turner(
            reported_orientation(self._capture) if orientation is None else orientation
        )
        self._pool = FramePool()
        self.video_fps = plausible_fps(self._capture.get(cv2.CAP_PROP_FPS))
        streamed = self._facts.container == "transport stream"
        self._positions = Positions(
            self.video_fps, LONGEST_STREAM_STEP_S if streamed else LONGEST_STEP_S
        )
        self._ahead: deque[tuple[NDArray[np.uint8], float]] = deque()
        try:
            self._look_ahead(path)
        except CameraError:
            self._capture.release()
            raise
        self._playback = Playback() if realtime else None
        self.live = realtime
        height, width = self._ahead[0][0].shape[:2]
        self.description = f"{path}, {width}x{height}"
        if self.video_fps is not None:
            self.description += f", {self.video_fps:.4g} frames/s"
        if realtime:
            self.description += " in real time"

    def read(self) -> Frame | None:
        """Decode the next frame; None at the end of the file, or when interrupted."""
        decoded = self._ahead.popleft() if self._ahead else self._decode()
        if decoded is None:
            self._check_length()
            return None
        pixels, position_s = decoded
        captured_ns = self._playback.wait(position_s) if self._playback else time.monotonic_ns()
        if captured_ns is None:
            return None
        frame = Frame(
            pixels=pixels,
            format="bgr",
            sequence=self._sequence,
            captured_ns=captured_ns,
            name=self._path.name,
            position_s=position_s,
        )
        self._sequence += 1
        return frame

    def skip(self) -> bool:
        """Skip a frame: its colours need not be converted."""
        if self._ahead:
            position_s = self._ahead.popleft()[1]
        elif self._capture.grab():
            position_s = self._position()
        else:
            self._check_length()
            return False
        if self._playback is not None and self._playback.wait(position_s) is None:
            return False
        self._sequence += 1
        return True

    def interrupt(self) -> None:
        """End the wait for a frame that is not due yet."""
        if self._playback is not None:
            self._playback.interrupt()

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _look_ahead(self, path: Path) -> None:
        """Decode the first frame; and the second where OpenCV has no rate, or an absurd one.

        Raises:
            CameraError: there is none, or it is absurdly large.
        """
        while (decoded := self._decode()) is not None:
            self._ahead.append(decoded)
            if self.video_fps is not None or len(self._ahead) > 1:
                break
        if not self._ahead:
            raise undecodable(path, self._facts, opened=self._capture.isOpened())
        if self.video_fps is None and len(self._ahead) > 1:
            self.video_fps = plausible_fps(1 / (self._ahead[1][1] - self._ahead[0][1]))

    def _decode(self) -> tuple[NDArray[np.uint8], float] | None:
        """Return the next picture, (H, W, 3) uint8 BGR, upright, and its position in seconds.

        Raises:
            CameraError: it is absurdly large.
        """
        if not self._capture.grab():
            return None
        width, height = checked_frame_size(self._capture, self._path)
        position_s = self._position()
        buffer = self._pool.take((height, width, 3))
        # A picture of another size than announced gets separate memory.
        delivered, picture = self._capture.retrieve(buffer)
        if not delivered:
            return None
        return self._turner.upright(np.asarray(picture, np.uint8)), position_s

    def _position(self) -> float:
        """Return when the picture that was grabbed last is shown, in seconds from the first."""
        return self._positions.next(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _check_length(self) -> None:
        """Say it where the file ends before what its container announces."""
        facts, announced = self._facts, self._facts.frames
        if facts.container == "matroska":
            missing = facts.whole is False
        elif facts.container == "mp4":
            missing = facts.whole is False if announced is None else self._is_short_of(announced)
        else:
            # OpenCV takes the length times its rate for this, where the container does not count.
            count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
            rate, fps = self._capture.get(cv2.CAP_PROP_FPS), self.video_fps
            missing = False
            if fps is not None and rate > 0 and 0 < count < MAX_FRAMES:
                announced = round(count / rate * fps)
                ends_early = self._positions.end_s < count / rate * (1 - SHORT_BY)
                missing = ends_early and self._is_short_of(announced)
        if missing and not self._told:
            of = "" if announced is None else f" of {announced}"
            _LOG.warning(
                "%s: ended after %d%s frames; the file is damaged or truncated",
                self._path,
                self._sequence,
                of,
            )
            self._told = True

    def _is_short_of(self, announced: int) -> bool:
        return self._sequence < announced * (1 - SHORT_BY)


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


def _read_facts(path: Path) -> ClipFacts:
    """Return what a file says of itself; refuse what holds no pictures, though FFmpeg opens it."""
    # What is read of a pipe is lost; this machine's user says where one leads.
    if path.exists() and not path.is_file():
        return ClipFacts()
    try:
        with path.open("rb") as file:
            beginning = file.read(SNIFF_BYTES)
        if not beginning:
            raise no_video(path, "is empty")
        if is_playlist(beginning):
            raise CameraError(
                path,
                got="is a playlist, which names other files",
                expected="a video file",
                next_step="name the video itself",
            )
        if not is_video(beginning):
            raise no_video(path, "no frame can be decoded: it does not begin like a known video")
        return read_clip_facts(path, beginning)
    except OSError as error:
        raise CameraError(
            path,
            got=f"cannot be read ({(error.strerror or str(error)).lower()})",
            next_step="check its permissions",
        ) from error


def _decoder_options() -> list[int]:
    """Have FFmpeg decode on one thread, where OpenCV has an option for it.

    By itself it takes one for each core and decodes frames ahead on all of them. That takes the
    cores from the inference: on two of them, two frames side by side came out 8 % slower.
    """
    threads = getattr(cv2, "CAP_PROP_N_THREADS", None)
    return [] if threads is None else [threads, 1]
