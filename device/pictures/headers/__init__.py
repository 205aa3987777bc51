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
from collections.abc import Callable

from edgeinfer.device.pictures.headers.base import (
    MAX_PIXELS,
    HeaderError,
    ImageHeader,
    MissingDecoderError,
    memory_limit,
)
from edgeinfer.device.pictures.headers.bmp import read_bmp
from edgeinfer.device.pictures.headers.foreign import foreign_format
from edgeinfer.device.pictures.headers.gif import read_gif
from edgeinfer.device.pictures.headers.heif import heif_format, read_avif, read_heic
from edgeinfer.device.pictures.headers.jpeg import read_jpeg
from edgeinfer.device.pictures.headers.png import PNG_SIGNATURE, read_png
from edgeinfer.device.pictures.headers.tiff import read_tiff
from edgeinfer.device.pictures.headers.webp import read_webp

__all__ = [
    "MAX_PIXELS",
    "HeaderError",
    "ImageHeader",
    "MissingDecoderError",
    "foreign_format",
    "image_format",
    "memory_limit",
    "read_header",
    "read_jpeg_header",
]


def image_format(data: bytes) -> str | None:
    """Return the format that the first bytes announce, None for what is not a known image."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return heif_format(data)
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def read_header(data: bytes) -> ImageHeader:
    """Read what `data`, a whole file, says about itself.

    Raises:
        HeaderError: it is not a known image, or ends too early.
        MissingDecoderError: it needs a package that is not installed.
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
    "JPEG": read_jpeg,
    "PNG": read_png,
    "WebP": read_webp,
    "BMP": read_bmp,
    "GIF": read_gif,
    "TIFF": read_tiff,
    "HEIC": read_heic,
    "AVIF": read_avif,
}
