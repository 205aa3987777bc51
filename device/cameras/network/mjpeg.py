"""What a URL of HTTP gives: MJPEG, split into pictures here, single pictures, or something else."""

from __future__ import annotations

import contextlib
import re
import time
from collections import deque
from http.client import HTTPException

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.cameras.files.containers import SNIFF_BYTES, is_playlist
from edgeinfer.device.cameras.network.http_stream import HttpBody, HttpClient, HttpRefusal
from edgeinfer.device.cameras.network.jpeg_splitter import JpegSplitter, jpeg_frame
from edgeinfer.device.cameras.network.protocol.patience import Patience
from edgeinfer.device.cameras.network.protocol.reasons import SHOWN_CHARACTERS, find_reason
from edgeinfer.device.cameras.network.protocol.tls import CA_OPTION, Trust
from edgeinfer.device.cameras.network.snapshot import (
    ENOUGH_BYTES,
    SnapshotCamera,
    is_picture,
    whole_picture,
)
from edgeinfer.device.cameras.network.urls import without_secrets
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.pictures.frame import Frame

CHUNK_BYTES = 1 << 16
OPEN_TIMEOUTS = 2
"""How many times a camera's timeout all may take until its answer has begun."""
_PART = re.compile(rb"\s*--[^\r\n]{1,200}\r?\n")
"""The beginning of one part of several."""
_TEXTS = ("text/", "application/json", "application/xml", "application/soap+xml")


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
        came = b""
        self._stream.begin_wait()
        while not self._waiting:
            try:
                data = self._stream.read(CHUNK_BYTES)
            except (OSError, HTTPException, ValueError) as error:
                raise self._stopped(error, came) from error
            self._waiting.extend(self._splitter.feed(data) if data else self._splitter.end())
            self.skipped_files = self._splitter.damaged
            if self._splitter.damaged - damaged_before >= MAX_DAMAGED:
                raise too_many_damaged(self._shown, "check what it sends, and its network")
            if not data and not self._waiting:
                return None
            came = came or data
        while len(self._waiting) > 1:
            # Of those that came together only the last is current.
            self._waiting.popleft()
            self._sequence += 1
        return self._waiting.popleft()

    def _stopped(self, error: Exception, came: bytes) -> CameraError:
        if came and isinstance(error, TimeoutError):
            kind = _other_parts(came)
            got = f"sends {kind or 'bytes'} but no picture for {self._timeout_s:.3g} s"
            return CameraError(self._shown, got=got, expected="JPEG pictures" if kind else "")
        return CameraError(
            self._shown, got=f"stopped delivering pictures ({find_reason(error).what})"
        )


def open_http(url: str, options: CameraOptions, fps: float, trust: Trust) -> Camera | None:
    """Return a camera for what a URL gives; None where that is for a decoder of videos.

    Args:
        url: of HTTP.
        options: how long to wait.
        fps: how often single pictures are asked for, per second.
        trust: which certificates are accepted.

    Raises:
        CameraError: there is no answer, or no pictures and no video.
    """
    shown = without_secrets(url)
    total_s = OPEN_TIMEOUTS * options.timeout_s
    if options.give_up_s is not None:
        total_s = min(total_s, max(options.timeout_s, options.give_up_s))
    patience = Patience(options.timeout_s, total_s)
    asked_ns = time.monotonic_ns()
    try:
        client = HttpClient(url, trust)
        try:
            body = client.get(patience)
        except BaseException:
            client.close()
            raise
    except HttpRefusal as refusal:
        raise refusal.camera_error(shown) from refusal
    except (OSError, HTTPException, ValueError) as error:
        reason = find_reason(error)
        raise CameraError(
            shown, got=f"cannot be reached ({reason.what})", next_step=reason.next_step
        ) from error
    if trust.insecure:
        shown += " (its certificate is not checked)"
    with contextlib.ExitStack() as unused:
        unused.callback(body.close)
        camera: Camera | None = None
        beginning = b"--" if body.content_type.startswith("multipart/") else b""
        if not beginning:
            beginning = body.beginning(ENOUGH_BYTES)
        if beginning == b"--" or _PART.match(beginning):
            camera = MjpegCamera(body, shown, options.timeout_s)
        elif is_picture(beginning):
            picture = _first_picture(body, shown)
            if picture is None:
                camera = MjpegCamera(body, shown, options.timeout_s)
            else:
                first = picture, asked_ns
                camera = SnapshotCamera(client, first, shown, options.timeout_s, fps)
        else:
            _check_video(url, shown, body, trust)
        if camera is not None:
            unused.pop_all()
        return camera


def _first_picture(body: HttpBody, shown: str) -> bytes | None:
    """Return what an answer has, if it is one picture, not a stream of them."""
    try:
        return whole_picture(body)
    except (OSError, HTTPException, ValueError) as error:
        raise CameraError(
            shown, got=f"delivers no whole picture ({find_reason(error).what})"
        ) from error


def _check_video(url: str, shown: str, body: HttpBody, trust: Trust) -> None:
    """Refuse what should not be handed to a decoder of videos.

    Raises:
        CameraError: it is a playlist, a text, or may not be fetched without looking at a
            certificate.
    """
    kind = body.content_type
    named = _names_playlist(url)
    beginning = body.beginning(ENOUGH_BYTES)[:SNIFF_BYTES]
    if not named and _leads_elsewhere(beginning):
        raise CameraError(
            shown,
            got="answers with a playlist, which names other addresses",
            expected="a stream of pictures",
            next_step="a URL that ends in .m3u8 is followed as one",
        )
    if kind.startswith(_TEXTS) and not named:
        raise CameraError(
            shown,
            got=f"answers with {kind[:SHOWN_CHARACTERS]}, which is not a picture or a video",
            next_step="open it in a browser: it may be a page around the camera's stream",
        )
    if trust.from_file:
        raise CameraError(
            shown,
            got=f"answers with {kind[:SHOWN_CHARACTERS] or 'a video'}, which FFmpeg fetches "
            f"without looking at {CA_OPTION}",
            expected="MJPEG, or single pictures",
        )


def _names_playlist(url: str) -> bool:
    """Return whether the user names a playlist: then it may lead anywhere."""
    return url.partition("?")[0].partition("#")[0].lower().endswith((".m3u8", ".m3u"))


def _leads_elsewhere(beginning: bytes) -> bool:
    # FFmpeg skips tags of music, however long: a playlist may follow.
    return is_playlist(beginning) or beginning.startswith(b"ID3")


_PART_TYPE = re.compile(rb"\r?\ncontent-type:[ \t]*([\w.+-]{1,40}/[\w.+-]{1,40})", re.IGNORECASE)


def _other_parts(beginning: bytes) -> str:
    """Return the type of parts that are not JPEGs; empty if they do not say so."""
    found = _PART_TYPE.search(beginning)
    kind = found[1].decode().lower() if found else ""
    return "" if kind in ("", "image/jpeg", "image/jpg") else kind
