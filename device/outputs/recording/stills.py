"""Stills in a folder, annotated or as the camera sent them."""

from __future__ import annotations

import cv2

from edgeinfer.device.core.errors import OutputError, storage_error
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.base import Output, capture_time
from edgeinfer.device.outputs.drawing.draw import Picture, annotate, picture_bgr, within
from edgeinfer.device.outputs.recording.condition import Condition
from edgeinfer.device.outputs.recording.folder import RecordFolder, discard
from edgeinfer.device.pictures.frame import Frame

STILL_SUFFIX = ".jpg"
JPEG_QUALITY = 90
CLEAN_QUALITY = 95
"""Of pictures to train with: at 90 the edges of small objects are blurred."""
MAX_JPEG_SIDE = 65_500
"""libjpeg writes no longer pictures."""
_HUFFMAN_TABLE = b"\xff\xc4"


class StillsSink(Output):
    """Writes frames, with their answers drawn onto them, as JPEG files.

    Args:
        folder: where they go.
        when: only frames of which this holds; None for all.
        every_s: at most one in this time, by the time of capture.
        clean: write the frames as they are, with nothing drawn onto them.
    """

    def __init__(
        self,
        folder: RecordFolder,
        *,
        when: Condition | None = None,
        every_s: float = 0.0,
        clean: bool = False,
    ) -> None:
        self._folder = folder
        self._when = when
        self._clean = clean
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
        if self._clean:
            encoded = clean_jpeg(frame)
        else:
            picture = annotate(answer, caption=f"{moment:%Y-%m-%d %H:%M:%S}Z")
            encoded = _encoded(picture, JPEG_QUALITY)
        hidden = self._folder.begin(moment)
        self._folder.make_room(len(encoded))
        try:
            hidden.write_bytes(encoded)
        except OSError as error:
            discard(hidden)
            raise storage_error(hidden, error) from error
        self._folder.finish(hidden)
        # Only now: one that failed is tried again with the next frame.
        self._due_ns = frame.captured_ns + self._every_ns


def clean_jpeg(frame: Frame) -> bytes:
    """Return a JPEG of a frame; of one that came as a JPEG its own bytes."""
    if frame.format == "jpeg":
        data = frame.pixels.tobytes()
        # Cameras leave the tables out that every Motion JPEG has; few programs know them.
        if _HUFFMAN_TABLE in data:
            return data
    return _encoded(picture_bgr(frame), CLEAN_QUALITY)


def _encoded(picture: Picture, quality: int) -> bytes:
    """Return the JPEG of a picture.

    Raises:
        OutputError: OpenCV makes none of it. The next picture may be another one.
    """
    picture = within(picture, MAX_JPEG_SIDE)
    reason = "OpenCV gives no reason"
    try:
        done, encoded = cv2.imencode(STILL_SUFFIX, picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        done, reason = False, error.err
    if not done:
        height, width = picture.shape[:2]
        raise OutputError(f"a still of {width}x{height}", got=f"cannot be encoded ({reason})")
    return encoded.tobytes()
