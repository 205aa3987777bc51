"""What an image file says about itself, read before any decoder sees it.

OpenCV's decoders differ between versions and between formats: a torn JPEG gives grey rows and a
line on the terminal, a rotation is applied or not, a PNG's colour profile is complained about.
So the size, the rotation and the completeness are read here, in Python and within bounds, and
the decoder gets only what all its versions read alike.

Sources: ITU-T T.81 annex B (JPEG), Exif 2.32 and TIFF 6.0 (orientation), the PNG specification,
Google's WebP container specification, Microsoft's BITMAPINFOHEADER, GIF89a.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_EXIF_PREFIX = b"Exif\x00\x00"
_TAG_WIDTH, _TAG_HEIGHT, _TAG_ORIENTATION, _TAG_EXTRA_SAMPLES = 256, 257, 274, 338
_TIFF_TYPES = {3: "H", 4: "I"}


class HeaderError(ValueError):
    """The file is damaged; the text says how, to stand behind the file's name."""


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What is known of an image before decoding.

    Attributes:
        format: "JPEG", "PNG", "WebP", "BMP", "GIF" or "TIFF".
        size: (width, height) in pixels as stored, before the rotation.
        payload: the bytes to decode: without what decoders treat differently.
        orientation: Exif's number, 1 to 8; 1 is upright.
        premultiplied: the decoder will hand over colours already multiplied by alpha.
    """

    format: str
    size: tuple[int, int]
    payload: bytes
    orientation: int = 1
    premultiplied: bool = False


def image_format(data: bytes) -> str | None:
    """Return the format that the first bytes announce, None for what is no known image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def read_header(data: bytes) -> ImageHeader:
    """Read what `data`, a whole file, says about itself.

    Raises:
        HeaderError: it is no known image, or ends too early.
    """
    kind = image_format(data)
    if kind is None:
        raise HeaderError("is no image")
    try:
        return _READERS[kind](data)
    except (struct.error, IndexError) as error:
        raise HeaderError(f"is torn: the {kind} ends within its header") from error


def _read_jpeg(data: bytes) -> ImageHeader:
    """Walk the marker segments to the first scan, then look for the end of the image.

    Within a scan 0xFF is always stuffed, so the first FF D9 after its start is the real end; one
    inside an earlier segment belongs to a thumbnail and does not count.
    """
    size, orientation, position = None, 1, 2
    while True:
        position = data.find(b"\xff", position)
        if position < 0:
            raise HeaderError("is torn: the JPEG ends before its picture begins")
        marker = data[position + 1]
        if marker == 0xFF or marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            raise HeaderError("is damaged: the JPEG holds no picture")
        (length,) = struct.unpack_from(">H", data, position + 2)
        segment = data[position + 4 : position + 2 + length]
        if marker == 0xDA:
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", segment, 1)
            size = (width, height)
        elif marker == 0xE1 and segment.startswith(_EXIF_PREFIX):
            orientation = _exif_orientation(segment)
        position += 2 + max(length, 2)
    if size is None:
        raise HeaderError("is damaged: the JPEG does not say its size")
    if data.find(b"\xff\xd9", position + 2 + length) < 0:
        raise HeaderError("is torn: the JPEG has no end")
    return ImageHeader(format="JPEG", size=size, payload=data, orientation=orientation)


def _read_png(data: bytes) -> ImageHeader:
    """Walk the chunks to the last one, check each checksum, keep only what holds pixels.

    What is dropped (profiles, gamma, text, animation) makes some decoders warn and none decode
    differently; the rotation is read here.
    """
    kept, orientation, position = [PNG_SIGNATURE], 1, len(PNG_SIGNATURE)
    while True:
        if position + 12 > len(data):
            raise HeaderError("is torn: the PNG has no end")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise HeaderError("is torn: the PNG ends within a chunk")
        if kind in _PNG_KEPT:
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(data[position + 4 : end - 4]) != checksum:
                raise HeaderError("is damaged: a checksum of the PNG is wrong")
            kept.append(data[position:end])
        elif kind == b"eXIf":
            orientation = _exif_orientation(data[position + 8 : end - 4])
        if kind == b"IEND":
            break
        position = end
    if kept[1][4:8] != b"IHDR":
        raise HeaderError("is damaged: the PNG does not say its size")
    size = struct.unpack_from(">II", kept[1], 8)
    return ImageHeader(format="PNG", size=size, payload=b"".join(kept), orientation=orientation)


def _read_webp(data: bytes) -> ImageHeader:
    (length,) = struct.unpack_from("<I", data, 4)
    if 8 + length > len(data):
        raise HeaderError("is torn: the WebP is shorter than it says")
    kind = data[12:16]
    if kind == b"VP8X":
        sides = struct.unpack_from("<HBHB", data, 24)
        size = (1 + sides[0] + (sides[1] << 16), 1 + sides[2] + (sides[3] << 16))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    elif kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        size = (width & 0x3FFF, height & 0x3FFF)
    else:
        raise HeaderError("is damaged: the WebP does not say its size")
    orientation, position = 1, 12
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        if kind == b"EXIF":
            orientation = _exif_orientation(data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return ImageHeader(format="WebP", size=size, payload=data, orientation=orientation)


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
        raise HeaderError("is torn: the BMP is shorter than it says")
    return ImageHeader(format="BMP", size=size, payload=data)


def _read_gif(data: bytes) -> ImageHeader:
    width, height = struct.unpack_from("<HH", data, 6)
    return ImageHeader(format="GIF", size=(width, height), payload=data)


def _read_tiff(data: bytes) -> ImageHeader:
    tags = _tiff_tags(data)
    if _TAG_WIDTH not in tags or _TAG_HEIGHT not in tags:
        raise HeaderError("is torn or damaged: the TIFF does not say its size")
    orientation, payload = 1, data
    if _TAG_ORIENTATION in tags:
        entry = tags[_TAG_ORIENTATION]
        orientation = entry.value
        # OpenCV turns TIFF files itself, but not for every kind of pixel: it is told that the
        # picture is upright, and the rotation is done once for all formats.
        upright = struct.pack(entry.code, 1)
        payload = data[: entry.position] + upright + data[entry.position + len(upright) :]
    extra = tags.get(_TAG_EXTRA_SAMPLES)
    return ImageHeader(
        format="TIFF",
        size=(tags[_TAG_WIDTH].value, tags[_TAG_HEIGHT].value),
        payload=payload,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        # libtiff's RGBA interface, which OpenCV uses for 8 bits, multiplies by alpha wherever
        # the file says that the extra channel is one (1: already multiplied, 2: not yet).
        premultiplied=extra is not None and extra.value in (1, 2),
    )


def _exif_orientation(exif: bytes) -> int:
    """Return the rotation that an Exif block states; damaged blocks count as upright."""
    try:
        entry = _tiff_tags(exif.removeprefix(_EXIF_PREFIX)).get(_TAG_ORIENTATION)
    except (HeaderError, struct.error):
        return 1
    return entry.value if entry and 1 <= entry.value <= 8 else 1


class _Entry(NamedTuple):
    """A small integer in a TIFF directory: its first value, where it stands, its struct code."""

    value: int
    position: int
    code: str


def _tiff_tags(data: bytes) -> dict[int, _Entry]:
    """Return the first directory's small integers by tag."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        raise HeaderError("is no TIFF")
    (directory,) = struct.unpack_from(order + "I", data, 4)
    if directory + 2 > len(data):
        raise HeaderError("is torn: the TIFF ends before its directory")
    (count,) = struct.unpack_from(order + "H", data, directory)
    tags = {}
    for position in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, position)
        if kind in _TIFF_TYPES and 0 < values * struct.calcsize(_TIFF_TYPES[kind]) <= 4:
            code = order + _TIFF_TYPES[kind]
            (value,) = struct.unpack_from(code, data, position + 8)
            tags[tag] = _Entry(value, position + 8, code)
    return tags


_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (PNG_SIGNATURE, "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_READERS: dict[str, Callable[[bytes], ImageHeader]] = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "WebP": _read_webp,
    "BMP": _read_bmp,
    "GIF": _read_gif,
    "TIFF": _read_tiff,
}
