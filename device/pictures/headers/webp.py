"""WebP's chunks. Source: Google's WebP container specification, RFC 9649."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from edgeinfer.device.pictures.headers.base import HeaderError, ImageHeader
from edgeinfer.device.pictures.headers.tiff import exif_orientation

_MAX_CHUNKS = 100_000
_NO_SIZE = "is damaged: the WebP does not say its size"
_FRAME_HEADER = 16
"""Bytes of an animation's frame before its picture."""
_ANIMATED, _WITH_ALPHA = 0x02, 0x10


class _Frame(NamedTuple):
    """A frame of an animation: its left, top, width and height, and a WebP of it alone."""

    place: tuple[int, int, int, int]
    still: bytes


def read_webp(data: bytes) -> ImageHeader:
    """Read the size at the beginning, and that of the picture, which must be the same.

    Of an animation the decoder gets the first frame as a separate picture: older versions of
    OpenCV read no animations.
    """
    (length,) = struct.unpack_from("<I", data, 4)
    if 8 + length > len(data):
        raise HeaderError("is incomplete: the WebP is shorter than it says")
    size, orientation, animated = None, 1, False
    picture: tuple[int, int] | None = None
    first: _Frame | None = None
    for kind, start, end in _chunks(data, 12, 8 + length):
        if kind == b"VP8X" and size is None:
            flags, w, w_high, h, h_high = struct.unpack_from("<B3xHBHB", data, start)
            size = (1 + w + (w_high << 16), 1 + h + (h_high << 16))
            animated = bool(flags & _ANIMATED)
        elif kind in (b"VP8 ", b"VP8L") and picture is None:
            picture = _picture_size(data, kind, start)
            size = size or picture
            if not animated and picture != size:
                raise HeaderError("is damaged: the WebP says two sizes")
        elif kind == b"ANMF":
            frame = _frame(data, start, end, size, whole=first is None)
            first = first or frame
        elif kind == b"EXIF":
            orientation = exif_orientation(data[start:end])
        if size is None:
            raise HeaderError(_NO_SIZE)
    if size is None:
        raise HeaderError(_NO_SIZE)
    if (first is None) == animated:
        raise HeaderError("is damaged: the WebP is not the animation that it says it is")
    return ImageHeader(
        format="WebP",
        size=size,
        payload=data if first is None else first.still,
        pixel_bytes=4,
        # Lossless pictures are decoded separately; a frame is laid on the whole picture.
        extra_bytes=4 * size[0] * size[1],
        orientation=orientation,
        part=None if first is None or first.place == (0, 0, *size) else first.place,
    )


def _chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and end of each chunk."""
    for _ in range(_MAX_CHUNKS):
        if position + 8 > end:
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        yield kind, position + 8, min(position + 8 + length, end)
        position += 8 + length + length % 2
    raise HeaderError(f"is damaged: the WebP has over {_MAX_CHUNKS:,} parts")


def _picture_size(data: bytes, kind: bytes, start: int) -> tuple[int, int]:
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, start + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, start + 6)
    return width & 0x3FFF, height & 0x3FFF


def _frame(
    data: bytes, start: int, end: int, canvas: tuple[int, int] | None, *, whole: bool
) -> _Frame | None:
    """Refuse a frame that is larger than the canvas, or than it says.

    Returns:
        The frame, if `whole`; it then must hold a picture.
    """
    sides = struct.unpack_from("<HBHBHBHB", data, start)
    x, y, w, h = (sides[index] + (sides[index + 1] << 16) for index in (0, 2, 4, 6))
    left, top, size = 2 * x, 2 * y, (w + 1, h + 1)
    if canvas is None or left + size[0] > canvas[0] or top + size[1] > canvas[1]:
        raise HeaderError("is damaged: a frame of the WebP lies outside its picture")
    kept: dict[bytes, bytes] = {}
    for kind, place, last in _chunks(data, start + _FRAME_HEADER, end):
        if kind in (b"VP8 ", b"VP8L") and _picture_size(data, kind, place) != size:
            raise HeaderError("is damaged: a frame of the WebP says two sizes")
        if whole and kind in (b"ALPH", b"VP8 ", b"VP8L"):
            kept.setdefault(kind, data[place:last])
    if not whole:
        return None
    if not kept.keys() & {b"VP8 ", b"VP8L"}:
        raise HeaderError("is damaged: a frame of the WebP holds no picture")
    return _Frame((left, top, *size), _still(size, kept))


def _still(size: tuple[int, int], kept: dict[bytes, bytes]) -> bytes:
    """Return a WebP of one picture: lossy with its alpha, or lossless."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    lossless = b"VP8L" in kept
    chunks = {b"VP8L": kept[b"VP8L"]} if lossless else {b"VP8 ": kept[b"VP8 "]}
    if b"ALPH" in kept and not lossless:
        flags = struct.pack("<I", _WITH_ALPHA)
        chunks = {b"VP8X": flags + sides, b"ALPH": kept[b"ALPH"], **chunks}
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for kind, content in chunks.items()
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
