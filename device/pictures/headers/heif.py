"""HEIC and AVIF, which packages open that an extra brings. Source: ISO/IEC 23008-12 (brands)."""

from __future__ import annotations

import io
import struct

from edgeinfer.device.pictures.headers.base import HeaderError, ImageHeader, MissingDecoderError

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"mif2", b"msf1"})
"""Of any codec; the compatible brands say which."""
_MOST_BRANDS = 64
_ORIENTATION = 0x0112


def heif_format(data: bytes) -> str | None:
    """Return "HEIC" or "AVIF" where the first bytes announce it, else None."""
    if data[4:8] != b"ftyp":
        return None
    end = min(struct.unpack_from(">I", data)[0], 16 + 4 * _MOST_BRANDS, len(data))
    major = data[8:12]
    brands = {data[place : place + 4] for place in range(16, end - 3, 4)}
    if major in _AVIF or (major in _HEIF and brands & _AVIF):
        return "AVIF"
    return "HEIC" if major in _HEIC | _HEIF else None


def read_heic(data: bytes) -> ImageHeader:
    """Read the size that the file announces, turned as it says: libheif turns what it decodes."""
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise MissingDecoderError("is a HEIC picture, which needs pillow-heif") from error
    try:
        picture = open_heif(io.BytesIO(data), bgr_mode=True)
        size, channels = picture.size, len(picture.mode.partition(";")[0])
        premultiplied = picture.premultiplied_alpha
    except Exception as error:  # what libheif says comes as several classes
        raise HeaderError("is damaged or of a rare kind: the HEIC cannot be opened") from error
    return ImageHeader(
        format="HEIC",
        size=size,
        payload=data,
        pixel_bytes=channels,
        # Its planes, of up to 16 bits, and what is copied from them.
        extra_bytes=5 * size[0] * size[1],
        premultiplied=premultiplied,
        decoder="heif",
    )


def read_avif(data: bytes) -> ImageHeader:
    """Read the size and the rotation that the file announces."""
    try:
        from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile
    except ImportError:
        SUPPORTED = False
    if not SUPPORTED:
        raise MissingDecoderError("is an AVIF picture, which needs Pillow 11.3 or newer")
    try:
        with AvifImageFile(io.BytesIO(data)) as picture:
            size, orientation = picture.size, picture.getexif().get(_ORIENTATION, 1)
    except Exception as error:  # each reader of Pillow raises other errors
        raise HeaderError("is damaged or of a rare kind: the AVIF cannot be opened") from error
    return ImageHeader(
        format="AVIF",
        size=size,
        payload=data,
        pixel_bytes=4,
        extra_bytes=8 * size[0] * size[1],
        orientation=orientation if orientation in range(1, 9) else 1,
        decoder="pillow",
    )
