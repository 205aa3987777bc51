"""The new pictures of a stream that OpenCV's FFmpeg decodes, each with the time of its capture.

What FFmpeg hands over is often old: on connecting what piled up while it looked into the stream, a
second or two of it; after a stall what the network or the decoder kept. Such pictures are dropped
and counted. How old one is tells the stream's own clock, see `stream_age`.
"""

from __future__ import annotations

import logging
import os
import time

import cv2

from edgeinfer.device.cameras.network.live.stream_age import MAX_HELD, Arrival, StreamAge
from edgeinfer.device.core.errors import CameraError

_LOG = logging.getLogger(__name__)

MAX_LATE_S = 1.0
"""A picture that is so much older than the stream's newest were on arrival is dropped."""
CLOCKED = ("rtsp", "rtsps", "rtmp", "rtmps", "srt")
"""Streams that bring the sender's clock. Over the other ways there may be a file, or bytes without
time stamps, for which FFmpeg makes up some."""
_HELD = {"rtmp": 0, "rtmps": 0, "srt": 2}
"""Pictures that FFmpeg's reader holds back, by the scheme: by default 1, as it looks for the next
picture's start; FLV gives whole ones, and an MPEG transport stream has two such layers."""
_UNHELD_CODECS = ("MJPG", "VP80", "VP90", "AV01")
"""Of these each packet is a picture."""
_MAX_EQUAL_STAMPS = 5
"""This many equal time stamps in a row do not come from a clock."""
_B_PICTURE = ord("B")


class LivePictures:
    """Grabs a stream's pictures. The caller opens and releases the capture.

    Args:
        capture: the stream; one picture of it was read already, and shown to nobody.
        scheme: the beginning of its URL, such as "rtsp".
        shown: what messages call it.
        timeout_s: how long it may be without a new picture.

    Attributes:
        dropped: pictures that were too old, so far.
    """

    def __init__(
        self, capture: cv2.VideoCapture, scheme: str, shown: str, timeout_s: float
    ) -> None:
        self._capture = capture
        self._shown = shown
        self._timeout_s = timeout_s
        self._clocked = scheme in CLOCKED
        self._age = StreamAge(_held_back(capture, scheme))
        self._equal_stamps = 0
        self._stamp_ns = -1
        self._arrived_ns = time.monotonic_ns()
        self._trusted = False
        self.dropped = 0

    def grab(self) -> int:
        """Have the next new picture decoded, for `retrieve`; return when it was captured.

        Returns:
            The time by `time.monotonic_ns()`, or an earlier one: never a later one than was
            measured.

        Raises:
            CameraError: the stream ended, is silent, or has only old pictures.
        """
        begun_s = time.monotonic()
        while True:
            before_ns = self._arrived_ns
            arrival = self._next_arrival()
            if not self._has_clock(arrival):
                # The reader gave it when the next one came, or at the very end: it is as old as the
                # one before is since it came.
                return before_ns
            self._age.add(arrival)
            waited_too_long = time.monotonic() - begun_s >= self._timeout_s
            if waited_too_long and not self._age.settled and not self._trusted:
                self._trusted = True
                _LOG.warning(
                    "%s: its pictures come faster than it captures them; how old they are is not"
                    " known",
                    self._shown,
                )
            known = self._age.settled or self._trusted
            if known and self._age.late_s <= MAX_LATE_S + self._age.held_s:
                return self._age.captured_ns
            self.dropped += 1
            if waited_too_long:
                raise CameraError(
                    self._shown,
                    got=f"has for {self._timeout_s:.3g} s only pictures that come"
                    f" {self._age.late_s:.1f} s late",
                    next_step="check its network; a stream of a smaller size is decoded faster",
                )

    def _next_arrival(self) -> Arrival:
        """Have the next picture decoded, whatever its age."""
        asked_ns, computed_ns = time.monotonic_ns(), time.thread_time_ns()
        grabbed = self._capture.grab()
        self._arrived_ns = time.monotonic_ns()
        elapsed_ns = self._arrived_ns - asked_ns
        # After its limit FFmpeg first gives the pictures that the decoder has held back.
        if not grabbed or elapsed_ns >= 1e9 * self._timeout_s - 1e6:
            raise CameraError(self._shown, got=f"ended, or is silent for {self._timeout_s:.3g} s")
        return Arrival(
            arrived_ns=self._arrived_ns,
            waited_ns=elapsed_ns - (time.thread_time_ns() - computed_ns),
            stream_ns=round(1e6 * self._capture.get(cv2.CAP_PROP_POS_MSEC)),
            bidirectional=self._capture.get(getattr(cv2, "CAP_PROP_FRAME_TYPE", -1)) == _B_PICTURE,
        )

    def _has_clock(self, arrival: Arrival) -> bool:
        """Return whether the stream's time stamps are a clock's."""
        if self._clocked:
            equal = arrival.stream_ns == self._stamp_ns
            self._equal_stamps = self._equal_stamps + 1 if equal else 0
            self._stamp_ns = arrival.stream_ns
            self._clocked = self._equal_stamps < _MAX_EQUAL_STAMPS
        return self._clocked


def _held_back(capture: cv2.VideoCapture, scheme: str) -> int:
    """Return how many pictures FFmpeg holds back of this stream at all times."""
    codec = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
    held = 0 if codec.decode("latin-1") in _UNHELD_CODECS else _HELD.get(scheme, 1)
    if not hasattr(cv2, "CAP_PROP_N_THREADS"):  # then each thread decodes another one
        held += (os.cpu_count() or 1) - 1
    return min(held, MAX_HELD)
