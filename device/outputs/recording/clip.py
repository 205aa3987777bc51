"""One video file that is being written, at a constant rate from frames that come when they like."""

from __future__ import annotations

import math
import os
import struct
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from edgeinfer.device.core.errors import StorageError, storage_error
from edgeinfer.device.outputs.drawing.draw import Picture
from edgeinfer.device.outputs.recording.folder import discard
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv

MAX_SIDE = 1280
"""Larger pictures are made smaller: an encoder's work grows with them, and the card fills."""


class Clip:
    """Encodes pictures into a file.

    Args:
        path: the file; `.avi` becomes Motion JPEG, which every OpenCV has, `.mp4` MPEG-4.
        first: the first picture, whose size the video has, within `MAX_SIDE`.
        begin_s: its time, on any clock.
        fps: the video's rate.
        longest_gap_s: a picture is shown no longer than this until the next.

    Raises:
        StorageError: the file cannot be written, or this OpenCV does not have the encoder.
    """

    def __init__(
        self, path: Path, *, first: Picture, begin_s: float, fps: float, longest_gap_s: float
    ) -> None:
        quiet_opencv()
        self.path = path
        self.begin_s = begin_s
        self._fps = fps
        self._longest_gap_s = longest_gap_s
        self._frames = 0
        self._gap_s = 0.0
        self._last: Picture | None = None
        height, width = first.shape[:2]
        factor = min(1.0, MAX_SIDE / max(width, height))
        # Encoders that halve the colours' resolution want even sides.
        self._size = (max(2, int(width * factor) & ~1), max(2, int(height * factor) & ~1))
        self._avi = avi = path.suffix.lower() == ".avi"
        self._writer = cv2.VideoWriter(
            str(path.absolute()),
            cv2.CAP_OPENCV_MJPEG if avi else cv2.CAP_FFMPEG,
            cv2.VideoWriter.fourcc(*("MJPG" if avi else "mp4v")),
            # Of AVI OpenCV knows whole rates only; the exact one is written at the end.
            max(1, round(fps)) if avi else fps,
            self._size,
        )
        if not self._writer.isOpened():
            raise self._opening_error()

    @property
    def bytes(self) -> int:
        """What the file holds so far, but for the little that the encoder keeps back."""
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise storage_error(self.path, error) from error

    def wants(self, time_s: float) -> bool:
        """Return whether a picture of that time has a place, or comes too soon after the last."""
        return self._place(time_s) >= self._frames

    def write(self, picture: Picture, time_s: float) -> None:
        """Append a picture; the one before is shown until then."""
        picture = self._fitted(picture)
        place = self._place(time_s)
        longest = round(self._longest_gap_s * self._fps)
        if place - self._frames > longest:
            self._gap_s += (place - self._frames - longest) / self._fps
            place = self._frames + longest
        while self._last is not None and self._frames < place:
            self._writer.write(self._last)
            self._frames += 1
        self._writer.write(picture)
        self._frames += 1
        self._last = picture

    def finish(self) -> None:
        """Complete the file.

        Raises:
            StorageError: the disk did not take all of it; OpenCV itself says nothing. The file is
                removed.
        """
        self._writer.release()
        if self._avi:
            with suppress(OSError):
                _write_avi_rate(self.path, self._fps)
        reader = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)
        # The count is in what is written last.
        frames = round(reader.get(cv2.CAP_PROP_FRAME_COUNT)) if reader.isOpened() else 0
        reader.release()
        if frames != self._frames:
            discard(self.path)
            raise StorageError(
                self.path,
                got=f"{frames} of {self._frames} frames were written to the disk",
                next_step="free some space or choose another place",
            )

    def abandon(self) -> None:
        """Remove the file."""
        self._writer.release()
        discard(self.path)

    def _place(self, time_s: float) -> int:
        # Not rounded: of twice as many frames every second one has a place, though their times
        # tremble, and of as many frames each.
        return math.floor((time_s - self.begin_s - self._gap_s) * self._fps + 0.25)

    def _fitted(self, picture: Picture) -> Picture:
        """Return the picture in the video's size, with black at the sides where its shape
        differs."""
        width, height = self._size
        if picture.shape[:2] == (height, width):
            return picture
        factor = min(width / picture.shape[1], height / picture.shape[0])
        inner = (
            min(width, max(1, round(picture.shape[1] * factor))),
            min(height, max(1, round(picture.shape[0] * factor))),
        )
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        fitted = np.zeros((height, width, 3), np.uint8)
        top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
        resized = cv2.resize(picture, inner, interpolation=method)
        fitted[top : top + inner[1], left : left + inner[0]] = resized
        return fitted

    def _opening_error(self) -> StorageError:
        """Find out whether the place cannot be written or the encoder is absent."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666))
        except OSError as error:
            return storage_error(self.path, error)
        discard(self.path)
        return StorageError(
            self.path,
            got="this OpenCV has no MPEG-4 encoder",
            next_step="name the video .avi, or install an OpenCV that has FFmpeg",
        )


def _write_avi_rate(path: Path, fps: float) -> None:
    """Write a rate into the headers of an AVI file of one stream."""
    with path.open("r+b") as file:
        headers = file.read(_AVI_HEADERS)
        main, stream = headers.find(b"avih"), headers.find(b"strh")
        if main < 0 or stream < 0:
            return
        file.seek(main + 8)
        file.write(struct.pack("<I", round(1e6 / fps)))
        file.seek(stream + 28)
        file.write(struct.pack("<II", _AVI_RATE, round(fps * _AVI_RATE)))


_AVI_HEADERS = 512
"""The headers are within the first bytes of a file, as many as this."""
_AVI_RATE = 10_000
"""AVI gives a rate as a fraction: of this denominator."""
