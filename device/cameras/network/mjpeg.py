"""MJPEG over HTTP, split into pictures here, and what else a URL may give."""

from __future__ import annotations

import contextlib
import urllib.error
from collections import deque
from http.client import HTTPException

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.cameras.files.containers import SNIFF_BYTES, is_playlist
from edgeinfer.device.cameras.network.http_stream import HttpBody, Patience, open_http
from edgeinfer.device.cameras.network.jpeg_splitter import JpegSplitter, jpeg_frame
from edgeinfer.device.cameras.network.urls import http_request, without_secrets
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame

CHUNK_BYTES = 1 << 16
OPEN_TIMEOUTS = 2
"""How many times a camera's timeout all may take until its answer has begun."""
_ENOUGH_BYTES = 64
"""Of an answer's beginning, to see what it is."""
_SHOWN_REASON = 80
_MJPEG = "multipart/x-mixed-replace"


class MjpegCamera(Camera):
    """Pictures of an HTTP stream, as JPEGs.

    Args:
        stream: the answer's body.
        shown: what errors call the camera.
        timeout_s: how long it may be without a picture.

    Raises:
        CameraError: it sends no picture.
    """

    live = True

    def __init__(self, stream: HttpBody, shown: str, timeout_s: float) -> None:
        self._stream = stream
        self._shown = shown
        self._timeout_s = timeout_s
        self._splitter = JpegSplitter()
        self._waiting: deque[bytes] = deque()
        self._sequence = 0
        self.description = f"{shown}, MJPEG"

    def read(self) -> Frame | None:
        """Wait for the next whole picture; None at the end of the stream."""
        jpeg = self._next()
        if jpeg is None:
            return None
        self._sequence += 1
        return jpeg_frame(jpeg, self._sequence - 1)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _next(self) -> bytes | None:
        damaged_before = self._splitter.damaged
        came = False
        self._stream.begin_wait()
        while not self._waiting:
            try:
                data = self._stream.read(CHUNK_BYTES)
            except (OSError, HTTPException, ValueError) as error:
                raise self._stopped(error, came) from error
            if not data:
                return None
            came = True
            self._waiting.extend(self._splitter.feed(data))
            self.skipped_files = self._splitter.damaged
            if self._splitter.damaged - damaged_before >= MAX_DAMAGED:
                raise too_many_damaged(self._shown, "check what it sends, and its network")
        while len(self._waiting) > 1:
            # Of those that came together only the last is current.
            self._waiting.popleft()
            self._sequence += 1
        return self._waiting.popleft()

    def _stopped(self, error: Exception, came: bool) -> CameraError:
        if came and isinstance(error, TimeoutError):
            got = f"sends bytes but no picture for {self._timeout_s:.3g} s"
        else:
            got = f"stopped delivering pictures ({_reason(error)})"
        return CameraError(self._shown, got=got)


def open_mjpeg(url: str, options: CameraOptions) -> HttpBody | None:
    """Return the body of an MJPEG stream; None where the URL gives something else.

    Raises:
        CameraError: there is no answer.
    """
    shown = without_secrets(url)
    total_s = OPEN_TIMEOUTS * options.timeout_s
    if options.give_up_s is not None:
        total_s = min(total_s, max(options.timeout_s, options.give_up_s))
    patience = Patience(options.timeout_s, total_s)
    try:
        body = open_http(http_request(url), patience)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 401 and "digest" in error.headers.get("WWW-Authenticate", "").lower():
            return None  # which FFmpeg knows
        next_step = "check name and password" if error.code in (401, 403) else "check the address"
        reason = str(error.reason)[:_SHOWN_REASON]
        raise CameraError(
            shown, got=f"answers {error.code} ({reason})", next_step=next_step
        ) from error
    except (OSError, HTTPException, ValueError) as error:
        raise CameraError(
            shown,
            got=f"cannot be reached ({_reason(error)})",
            next_step="check its address and that it is on",
        ) from error
    if body.content_type == _MJPEG:
        return body
    with contextlib.closing(body):
        if not _names_playlist(url) and _leads_elsewhere(_beginning(body)):
            raise CameraError(
                shown,
                got="answers with a playlist, which names other addresses",
                expected="a stream of pictures",
                next_step="a URL that ends in .m3u8 is followed as one",
            )
    return None


def _names_playlist(url: str) -> bool:
    """Return whether the user names a playlist: then it may lead anywhere."""
    return url.partition("?")[0].partition("#")[0].lower().endswith((".m3u8", ".m3u"))


def _leads_elsewhere(beginning: bytes) -> bool:
    # FFmpeg skips tags of music, however long: a playlist may follow.
    return is_playlist(beginning) or beginning.startswith(b"ID3")


def _beginning(body: HttpBody) -> bytes:
    """Return the first bytes of an answer; fewer where they do not come."""
    data = b""
    with contextlib.suppress(OSError, HTTPException, ValueError):
        while len(data) < _ENOUGH_BYTES and (more := body.read(SNIFF_BYTES)):
            data += more
    return data


def _reason(error: BaseException) -> str:
    """Say in a few words why a connection failed."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    if isinstance(cause, str):
        return cause[:_SHOWN_REASON]
    if type(cause) is HTTPException:
        return str(cause)[:_SHOWN_REASON]
    return type(cause).__name__
