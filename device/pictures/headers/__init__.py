"""What an image file says about itself, read before any decoder sees it.

OpenCV's decoders differ between versions and between formats: an incomplete JPEG gives grey rows
and a line on the terminal, a rotation is applied or not, a PNG's colour profile is complained
about. So the size, the rotation and the completeness are read here, in Python and within bounds,
and the decoder gets only what all its versions read in the same way.

Sources: ITU-T T.81 annex B (JPEG), Exif 2.32 and TIFF 6.0 (orientation), the PNG specification,
Google's WebP container specification, Microsoft's BITMAPINFOHEADER, GIF89a.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from edgeinfer.device.pictures.headers.base import (
    MAX_PIXELS,
    HeaderError,
    ImageHeader,
    memory_limit,
)
from edgeinfer.device.pictures.headers.jpeg import read_jpeg
from edgeinfer.device.pictures.headers.tiff import exif_orientation, read_tiff
from edgeinfer.device.pictures.headers.webp import read_webp

__all__ = [
    "MAX_PIXELS",
    "HeaderError",
    "ImageHeader",
    "foreign_format",
    "image_format",
    "memory_limit",
    "read_header",
    "read_jpeg_header",
]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_MAX_PARTS = 200_000
"""Chunks of a PNG and blocks of a GIF before its picture; encoders write some thousands."""


def image_format(data: bytes) -> str | None:
    """Return the format that the first bytes announce, None for what is not a known image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def foreign_format(data: bytes) -> str | None:
    """Return the name of an image or video format that is known but not read."""
    if data[4:8] == b"ftyp":
        return "HEIC, AVIF or video"
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return "video"
    if data[:1] == b"P" and data[1:2] in b"1234567fF" and data[2:3] in b" \t\r\n":
        return "PNM or PFM"
    return next((name for magic, name in _FOREIGN if data.startswith(magic)), None)


def read_header(data: bytes) -> ImageHeader:
    """Read what `data`, a whole file, says about itself.

    Raises:
        HeaderError: it is not a known image, or ends too early.
    """
    kind = image_format(data)
    if kind is None:
        raise HeaderError("is not an image")
    try:
        return _READERS[kind](data)
    except (struct.error, IndexError) as error:
        raise HeaderError(f"is incomplete: the {kind} ends within its header") from error


def read_jpeg_header(data: bytes) -> ImageHeader:
    """Read what a JPEG says about itself, though it may have no end.

    Raises:
        HeaderError: it is not a JPEG, or is damaged.
    """
    if image_format(data) != "JPEG":
        raise HeaderError("is not a JPEG")
    try:
        return read_jpeg(data, whole=False)
    except (struct.error, IndexError) as error:
        raise HeaderError("is incomplete: the JPEG ends within its header") from error


def _read_png(data: bytes) -> ImageHeader:
    """Walk the chunks to the last one, check each checksum, keep only what holds pixels.

    What is dropped (profiles, gamma, text, animation) makes some decoders warn and none decode
    differently; the rotation is read here.
    """
    kept, orientation, position = [PNG_SIGNATURE], 1, len(PNG_SIGNATURE)
    for _ in range(_MAX_PARTS):
        if position + 12 > len(data):
            raise HeaderError("is incomplete: the PNG has no end")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise HeaderError("is incomplete: the PNG ends within a chunk")
        if kind in _PNG_KEPT:
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(data[position + 4 : end - 4]) != checksum:
                raise HeaderError("is damaged: a checksum of the PNG is wrong")
            kept.append(data[position:end])
        elif kind == b"eXIf":
            orientation = exif_orientation(data[position + 8 : end - 4])
        if kind == b"IEND":
            break
        position = end
    else:
        raise HeaderError(f"is damaged: the PNG has over {_MAX_PARTS:,} parts")
    kinds = [chunk[4:8] for chunk in kept[1:]]
    if kinds[0] != b"IHDR" or len(kept[1]) != 25:
        raise HeaderError("is damaged: the PNG does not say its size")
    if kinds.count(b"IHDR") > 1:
        raise HeaderError("is damaged: the PNG says its size twice")
    width, height, bits, colour = struct.unpack_from(">IIBB", kept[1], 8)
    channels = 4 if b"tRNS" in kinds else _PNG_CHANNELS.get(colour, 4)
    return ImageHeader(
        format="PNG",
        size=(width, height),
        payload=b"".join(kept),
        pixel_bytes=2 * channels if bits == 16 else channels,
        orientation=orientation,
    )


def _read_bmp(data: bytes) -> ImageHeader:
    offset, header_size = struct.unpack_from("<II", data, 10)
    if header_size == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    # A negative height stands for rows from the top down.
    size = (abs(width), abs(height))
    uncompressed = compression in (0, 3, 6)
    if uncompressed and offset + (size[0] * depth + 31) // 32 * 4 * size[1] > len(data):
        raise HeaderError("is incomplete: the BMP is shorter than it says")
    return ImageHeader(format="BMP", size=size, payload=data, pixel_bytes=4)


def _read_gif(data: bytes) -> ImageHeader:
    """Read the size of the screen, and of the first picture, which must be on it."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _gif_palette(flags)
    for _ in range(_MAX_PARTS):
        kind = data[position]
        if kind == 0x2C:
            left, top, w, h = struct.unpack_from("<HHHH", data, position + 1)
            if left + w > width or top + h > height:
                raise HeaderError("is damaged: the GIF's picture lies outside its screen")
            break
        if kind != 0x21:
            raise HeaderError("is damaged: the GIF holds no picture")
        position += 2
        while data[position]:
            position += 1 + data[position]
        position += 1
    else:
        raise HeaderError(f"is damaged: the GIF has over {_MAX_PARTS:,} parts before its picture")
    return ImageHeader(format="GIF", size=(width, height), payload=data, pixel_bytes=4)


def _gif_palette(flags: int) -> int:
    """Return the bytes of a palette."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (PNG_SIGNATURE, "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_FOREIGN = (
    (b"II+\x00", "BigTIFF"),
    (b"MM\x00+", "BigTIFF"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "HDR"),
    (b"#?RGBE", "HDR"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
)
_READERS: dict[str, Callable[[bytes], ImageHeader]] = {
    "JPEG": read_jpeg,
    "PNG": _read_png,
    "WebP": read_webp,
    "BMP": _read_bmp,
    "GIF": _read_gif,
    "TIFF": read_tiff,
}
