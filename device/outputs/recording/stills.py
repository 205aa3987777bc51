"""Annotated stills in a folder."""

from __future__ import annotations

import cv2

from edgeinfer.device.core.errors import storage_error
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.base import Output, capture_time
from edgeinfer.device.outputs.drawing.draw import annotate
from edgeinfer.device.outputs.recording.condition import Condition
from edgeinfer.device.outputs.recording.folder import RecordFolder, discard

STILL_SUFFIX = ".jpg"
JPEG_QUALITY = 90


class StillsSink(Output):
    """Writes frames, with their answers drawn onto them, as JPEG files.

    Args:
        folder: where they go.
        when: only frames of which this holds; None for all.
        every_s: at most one in this time, by the time of capture.
    """

    def __init__(
        self, folder: RecordFolder, *, when: Condition | None = None, every_s: float = 0.0
    ) -> None:
        self._folder = folder
        self._when = when
        self._every_ns = round(every_s * 1e9)
        self._due_ns = 0

    def write(self, answer: Answer) -> None:
        """Write a still, if the frame is one that is wanted and not too soon."""
        frame = answer.frame
        if frame.captured_ns < self._due_ns:
            return
        if self._when is not None and not self._when.holds(answer.prediction):
            return
        moment = capture_time(frame)
        picture = annotate(answer, caption=f"{moment:%Y-%m-%d %H:%M:%S}Z")
        _, encoded = cv2.imencode(STILL_SUFFIX, picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        hidden = self._folder.begin(moment)
        self._folder.make_room(encoded.size)
        try:
            hidden.write_bytes(encoded.tobytes())
        except OSError as error:
            discard(hidden)
            raise storage_error(hidden, error) from error
        self._folder.finish(hidden)
        # Only now: one that failed is tried again with the next frame.
        self._due_ns = frame.captured_ns + self._every_ns
