"""JPEG's markers up to its first scan. Source: ITU-T T.81 annex B."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from edgeinfer.device.pictures.headers.base import HeaderError, ImageHeader
from edgeinfer.device.pictures.headers.tiff import EXIF_PREFIX, exif_orientation

_MAX_MARKERS = 10_000
"""More than any picture has before its first scan."""
_MAX_SCANS = 100
"""More than any encoder writes; a decoder goes over the whole picture for each."""
_NO_PADDING = re.compile(rb"[^\xff]")
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])", re.DOTALL)
"""What interrupts a scan: not a stuffed 0xFF, and not a restart."""
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)


class _Frame(NamedTuple):
    """What a start-of-frame segment says; `samples` are those a pixel of all components."""

    size: tuple[int, int]
    progressive: bool
    components: int
    samples: float


def read_jpeg(data: bytes, *, whole: bool = True) -> ImageHeader:
    """Walk the marker segments to the first scan, then from scan to scan to the picture's end.

    Within a scan 0xFF is always stuffed, so an FF D9 there is the real end, and an FF D8 the
    beginning of another picture, before which this one was cut; those inside a segment belong to
    a thumbnail and do not count.

    Args:
        data: the picture.
        whole: refuse one without an end.
    """
    frame, orientation, position = None, 1, 2
    for _ in range(_MAX_MARKERS):
        start = data.find(b"\xff", position)
        found = _NO_PADDING.search(data, start) if start >= 0 else None
        if found is None:
            raise HeaderError("is incomplete: the JPEG ends before its picture begins")
        marker, position = found[0][0], found.end()
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:
            continue
        if marker == 0xD8:
            raise HeaderError("is incomplete: another JPEG begins before its picture")
        if marker == 0xD9:
            raise HeaderError("is damaged: the JPEG holds no picture")
        (length,) = struct.unpack_from(">H", data, position)
        segment = data[position + 2 : position + length]
        position += max(length, 2)
        if marker == 0xDA:
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if frame is not None:
                raise HeaderError("is damaged: the JPEG says its size twice")
            frame = _read_frame(marker, segment)
        elif marker == 0xE1 and segment.startswith(EXIF_PREFIX):
            orientation = exif_orientation(segment)
    else:
        raise HeaderError(f"is damaged: the JPEG has {_MAX_MARKERS:,} markers before its picture")
    if frame is None:
        raise HeaderError("is damaged: the JPEG does not say its size")
    end = _end(data, position) if whole else len(data)
    # Where a scan holds not the whole of a pixel, all coefficients are kept, 16 bits each.
    kept = frame.progressive or segment[:1] != bytes([frame.components])
    if kept and data.count(b"\xff\xda", position, end) >= _MAX_SCANS:
        raise HeaderError(f"is damaged: the JPEG has over {_MAX_SCANS} scans")
    width, height = frame.size
    return ImageHeader(
        format="JPEG",
        size=frame.size,
        payload=data,
        pixel_bytes=3,
        extra_bytes=round(2 * frame.samples * width * height) if kept else 0,
        orientation=orientation,
    )


def _end(data: bytes, position: int) -> int:
    """Return where the picture whose first scan begins at `position` ends."""
    while found := _MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        if marker == 0xD9:
            return found.start()
        if marker == 0xD8:
            raise HeaderError("is incomplete: another JPEG begins before its end")
        # Others have no segment; what is not known is skipped as decoders do.
        if marker >= 0xC0 and position + 2 <= len(data):
            (length,) = struct.unpack_from(">H", data, position)
            position += max(length, 2)
    raise HeaderError("is incomplete: the JPEG has no end")


def _read_frame(marker: int, segment: bytes) -> _Frame:
    height, width, components = struct.unpack_from(">HHB", segment, 1)
    factors = [(byte >> 4, byte & 15) for byte in segment[7 : 6 + 3 * components : 3]]
    if len(factors) < components or not all(1 <= f <= 4 for pair in factors for f in pair):
        raise HeaderError("is damaged: the JPEG's components are not described")
    most = max((h for h, _ in factors), default=1) * max((v for _, v in factors), default=1)
    samples = sum(h * v for h, v in factors) / most
    return _Frame((width, height), marker in _PROGRESSIVE, components, samples)
