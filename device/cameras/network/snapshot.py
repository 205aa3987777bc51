"""Addresses that give one picture for each request, asked again and again."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from http.client import HTTPException

import numpy as np

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.cameras.network.http_stream import HttpBody, HttpClient, HttpRefusal
from edgeinfer.device.cameras.network.jpeg_splitter import (
    MAX_JPEG_BYTES,
    JpegSplitter,
    jpeg_frame,
)
from edgeinfer.device.cameras.network.protocol.patience import Patience
from edgeinfer.device.cameras.network.protocol.reasons import find_reason
from edgeinfer.device.core.errors import CameraError, ImageError
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.headers import image_format

SNAPSHOT_FPS = 1.0
"""How often a picture is asked for, per second, unless the user says."""
ENOUGH_BYTES = 64
"""Of an answer's beginning, to see what it is."""
_CHUNK_BYTES = 1 << 16
_JPEG = b"\xff\xd8\xff"


def is_picture(beginning: bytes) -> bool:
    """Return whether an answer begins like a picture: JPEG, PNG, WebP, BMP."""
    return beginning.startswith(_JPEG) or image_format(beginning) in ("PNG", "WebP", "BMP")


class SnapshotCamera(Camera):
    """Asks for a picture at a steady rate.

    A picture counts as captured when it was asked for: how old it really is, no server says.

    Args:
        client: asks for it.
        first: the first picture, and when it was asked for, by `time.monotonic_ns()`.
        shown: what errors call the camera.
        timeout_s: how long an answer may take.
        fps: how often it is asked for, per second.
    """

    live = True

    def __init__(
        self, client: HttpClient, first: tuple[bytes, int], shown: str, timeout_s: float, fps: float
    ) -> None:
        self._client = client
        self._ahead: tuple[bytes, int] | None = first
        self._shown = shown
        self._timeout_s = timeout_s
        self._interval_ns = round(1e9 / fps)
        self._asked_ns = first[1]
        self._interrupted = threading.Event()
        self._sequence = 0
        self.description = f"{shown}, single pictures, {fps:.4g} a second"

    def read(self) -> Frame | None:
        """Ask for the next picture when it is due; None when interrupted.

        Raises:
            CameraError: there is no answer, or not a picture.
        """
        damaged = 0
        while (answer := self._next()) is not None:
            frame = self._frame(*answer)
            if frame is not None:
                return frame
            damaged += 1
            self.skipped_files += 1
            if damaged >= MAX_DAMAGED:
                raise too_many_damaged(self._shown, "check what it sends, and its network")
        return None

    def interrupt(self) -> None:
        """Have a waiting `read` return None."""
        self._interrupted.set()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _next(self) -> tuple[bytes, int] | None:
        """Return an answer's body and when it was asked for; None when interrupted."""
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            return ahead
        due_ns = self._asked_ns + self._interval_ns
        if self._interrupted.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
            self._interrupted.clear()
            return None
        self._asked_ns = time.monotonic_ns()
        try:
            body = self._client.get(Patience(self._timeout_s))
            content = whole_picture(body) if is_picture(body.beginning(ENOUGH_BYTES)) else None
        except HttpRefusal as refusal:
            raise refusal.camera_error(self._shown) from refusal
        except (OSError, HTTPException, ValueError) as error:
            reason = find_reason(error).what
            raise CameraError(self._shown, got=f"stopped delivering pictures ({reason})") from error
        if content is None:
            got = (
                f"answers with {body.content_type or 'something else'}, no longer with one picture"
            )
            raise CameraError(self._shown, got=got)
        return content, self._asked_ns

    def _frame(self, content: bytes, asked_ns: int) -> Frame | None:
        """Return the picture in an answer; None if it is damaged."""
        sequence, self._sequence = self._sequence, self._sequence + 1
        if content.startswith(_JPEG):
            splitter = JpegSplitter()
            jpeg = next(iter([*splitter.feed(content), *splitter.end()]), None)
            frame = None if jpeg is None else jpeg_frame(jpeg, sequence)
        else:
            frame = _decoded(content, self._shown, sequence)
        return None if frame is None else replace(frame, captured_ns=asked_ns)


def whole_picture(body: HttpBody) -> bytes | None:
    """Return an answer that is one picture; None if it goes on, which `body` gives from its start.

    Raises:
        OSError: the connection broke, or the picture did not come in time.
        HTTPException: the answer is damaged.
        ValueError: the answer is damaged.
    """
    content = bytearray()
    splitter: JpegSplitter | None = None
    pictures = 0
    while data := body.read(_CHUNK_BYTES):
        content += data
        if splitter is None and content.startswith(_JPEG[: len(content)]):
            splitter = JpegSplitter()
        if splitter is not None:
            pictures += sum(1 for _ in splitter.feed(data))
        goes_on = splitter is not None and pictures + splitter.has_begun > 1
        if goes_on or len(content) > MAX_JPEG_BYTES:
            body.put_back(bytes(content))
            return None
    return bytes(content)


def _decoded(content: bytes, shown: str, sequence: int) -> Frame | None:
    """Return a picture that is not a JPEG; None if it is damaged."""
    from edgeinfer.device.pictures.decode import decode_image

    try:
        pixels = decode_image(content, subject=shown)
    except ImageError:
        return None
    return Frame(
        pixels=np.asarray(pixels), format="rgb", sequence=sequence, captured_ns=time.monotonic_ns()
    )
