"""Whole JPEG pictures out of a stream of bytes, such as MJPEG over HTTP or a pipe.

The markers are followed rather than looked for: a JPEG may hold another one, a thumbnail, and what
a server writes between two pictures may be anything. Source: ITU-T T.81 annex B.

Some cameras leave out the marker of the end. Such a picture ends at the length that its header
states, or where the next one begins, and counts if nothing else is missing.

Whatever comes, time grows with its length: bytes that were followed once as part of a picture that
turns out broken are followed again only as long as there are few such.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np

from edgeinfer.device.cameras.network.unended_jpeg import with_end
from edgeinfer.device.pictures.frame import Frame

MAX_JPEG_BYTES = 32 << 20
"""What does not end within this is not a picture."""

BYTES_FOR_A_MARKER = 16
"""For each 16 bytes that come, one marker may be followed a second time."""
SPARE_MARKERS = 1000
"""How many such may be saved up; a picture has some ten before its first scan."""

PIXELS_FOR_A_BYTE = 100
"""For each byte that comes, as many pixels of pictures without an end may be decoded."""
SPARE_PIXELS = 50_000_000
"""How many such may be saved up."""

_HEADER_BYTES = 1024
"""Where a part's boundary and header are looked for, next to a picture."""
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,8})[ \t]*\r?\n", re.IGNORECASE)
_START = b"\xff\xd8\xff"
_START_OF_SCAN, _END_OF_IMAGE, _START_OF_IMAGE = 0xDA, 0xD9, 0xD8


def jpeg_frame(jpeg: bytes, sequence: int) -> Frame:
    """Return a whole picture that has just come as a frame."""
    pixels = np.frombuffer(jpeg, np.uint8)
    return Frame(pixels=pixels, format="jpeg", sequence=sequence, captured_ns=time.monotonic_ns())


class JpegSplitter:
    """Takes bytes as they come and gives the pictures in them.

    Attributes:
        damaged: pictures that began and did not end as they should, so far.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._bytes = bytearray()
        self._position = 0
        """How far the picture at the beginning of `_bytes` was followed; 0 without one."""
        self._in_scan = False
        self._had_scan = False
        self._markers = 0
        """How many of the picture's were followed."""
        self._last_marker = 0
        """Where the last of them is, or where the last scan ended."""
        self._spare_markers = float(SPARE_MARKERS)
        self._stated = 0
        """The length that the header in front of the picture states; 0 if unknown, or wrong."""
        self._spare_pixels = float(SPARE_PIXELS)

    @property
    def has_begun(self) -> bool:
        """Whether a picture has begun that has not ended."""
        return self._position > 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each picture that `data` completes."""
        self._bytes += data
        self._spare_markers = min(
            SPARE_MARKERS, self._spare_markers + len(data) / BYTES_FOR_A_MARKER
        )
        self._spare_pixels = min(SPARE_PIXELS, self._spare_pixels + len(data) * PIXELS_FOR_A_BYTE)
        while self._find_start():
            end = self._follow()
            if end:
                yield bytes(self._bytes[:end])
                self._forget(end)
            elif end == 0:
                if (picture := self._unended()) is not None:
                    yield picture
                else:
                    self._give_up()
            elif self._in_scan and 0 < self._stated <= len(self._bytes):
                if (picture := self._unended()) is not None:
                    yield picture
                self._stated = 0  # which was wrong
            elif len(self._bytes) > MAX_JPEG_BYTES:
                self._give_up()
            else:
                return

    def end(self) -> Iterator[bytes]:
        """Yield the last picture, if the stream ended behind it and only its end is missing."""
        if self.has_begun and (picture := self._unended()) is not None:
            yield picture

    def _find_start(self) -> bool:
        """Drop what comes before the next picture; False if none has begun."""
        if self._position:
            return True
        start = self._bytes.find(_START)
        if start < 0:
            del self._bytes[: max(0, len(self._bytes) - _HEADER_BYTES)]
            return False
        header = bytes(self._bytes[max(0, start - _HEADER_BYTES) : start])
        stated = _LENGTH.findall(header) if header.endswith((b"\n\r\n", b"\n\n")) else []
        self._stated = int(stated[-1]) if stated else 0
        del self._bytes[:start]
        self._position = 2
        return True

    def _follow(self) -> int | None:
        """Follow the markers; return where the picture ends, None if not yet, 0 if it is broken."""
        data = self._bytes
        while True:
            if self._in_scan and not self._end_scan():
                return None
            if self._position + 4 > len(data):
                at_end = data[self._position : self._position + 2] == bytes((0xFF, _END_OF_IMAGE))
                return self._position + 2 if at_end else None
            if data[self._position] != 0xFF:
                return 0
            marker = data[self._position + 1]
            if marker == _END_OF_IMAGE:
                return self._position + 2
            if marker == _START_OF_IMAGE or marker == 0x00:
                return 0
            self._markers += 1
            self._last_marker = self._position
            if marker == 0xFF:  # padding
                self._position += 1
                continue
            length = int.from_bytes(data[self._position + 2 : self._position + 4], "big")
            if length < 2:
                return 0
            if self._position + 2 + length > len(data):
                return None
            self._position += 2 + length
            if marker == _START_OF_SCAN:
                self._in_scan = self._had_scan = True

    def _end_scan(self) -> bool:
        """Go on to the marker behind a scan's bytes; False if it has not come."""
        data = self._bytes
        while True:
            position = data.find(b"\xff", self._position)
            if position < 0 or position + 1 >= len(data):
                self._position = len(data) if position < 0 else position
                return False
            self._position = position
            following = data[position + 1]
            # A scan contains stuffed zeros and restart markers.
            if following != 0x00 and not 0xD0 <= following <= 0xD7:
                self._in_scan = False
                self._last_marker = position
                return True
            self._position += 2

    def _unended(self) -> bytes | None:
        """Return a picture that lacks only the marker of its end, and go on behind it."""
        if not self._had_scan:
            return None
        last = self._position if self._in_scan else min(self._last_marker, self._position)
        for end in self._possible_ends(last):
            picture, pixels = with_end(bytes(self._bytes[:end]), int(self._spare_pixels))
            self._spare_pixels -= pixels
            if picture is not None:
                self._forget(end)
                return picture
        return None

    def _possible_ends(self, last: int) -> Iterator[int]:
        """Yield where a picture may end that goes on to `last` at most, likely ones first."""
        if 0 < self._stated <= last:
            yield self._stated
        boundary = self._bytes.rfind(b"\n--", max(0, last - _HEADER_BYTES), last)
        if boundary < 0:
            yield last
        else:
            if self._bytes[boundary - 1 : boundary] == b"\r":
                yield boundary - 1
            yield boundary

    def _give_up(self) -> None:
        """Look for the next picture.

        A segment's length may be wrong, and the next picture within what it spans. Before the first
        scan the search begins right behind the start, unless that found nothing too often; later,
        and then, behind the last marker.
        """
        self.damaged += 1
        again = not self._had_scan and self._markers <= self._spare_markers
        if again:
            self._spare_markers -= self._markers
        self._forget(2 if again else min(self._last_marker + 2, self._position))

    def _forget(self, count: int) -> None:
        del self._bytes[:count]
        self._position = 0
        self._in_scan = self._had_scan = False
        self._markers = self._last_marker = self._stated = 0
