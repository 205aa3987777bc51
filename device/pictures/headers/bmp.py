"""BMP's headers, from OS/2's to BITMAPV5HEADER. Source: Microsoft's BITMAPINFOHEADER."""

from __future__ import annotations

import struct

from edgeinfer.device.pictures.headers.base import BitFields, HeaderError, ImageHeader

_RGB, _RLE8, _RLE4, _BIT_FIELDS, _ALPHA_BIT_FIELDS = 0, 1, 2, 3, 6
_UNCOMPRESSED = (_RGB, _BIT_FIELDS, _ALPHA_BIT_FIELDS)
_DEPTHS = {_RGB: (1, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,)}
_DEPTHS |= {_BIT_FIELDS: (16, 32), _ALPHA_BIT_FIELDS: (16, 32)}
_OLD_HEADER = 12
_MASKS_AT = 54
"""Where the masks are, behind a header of 40 bytes or within a longer one."""
_WITH_ALPHA_MASK = 56
"""Bytes of the shortest header that holds a mask for alpha."""
_PLAIN_MASKS = {
    16: (0x7C00, 0x3E0, 0x1F, 0),
    24: (0xFF0000, 0xFF00, 0xFF, 0),
    32: (0xFF0000, 0xFF00, 0xFF, 0),
}


def read_bmp(data: bytes) -> ImageHeader:
    """Read a BMP's header, and where its colours are if it has no palette.

    OpenCV reads those in its own ways: masks behind a header of 40 bytes as a palette, 5 bits as
    multiples of 8, and what is not an alpha as one. So they are decoded here, see `bitmap`.
    """
    offset, header = struct.unpack_from("<II", data, 10)
    if header == _OLD_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = _RGB
    else:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    if depth not in _DEPTHS.get(compression, ()):
        raise HeaderError(f"is a rare BMP, of {depth} bits and the compression {compression}")
    # A negative height stands for rows from the top down.
    size = (abs(width), abs(height))
    row_bytes = (size[0] * depth + 31) // 32 * 4
    direct = depth >= 16
    masks = _masks(data, header, depth, compression) if direct else (0, 0, 0, 0)
    if direct:
        # Some programs leave out the masks where they say at which byte the rows begin.
        offset = max(offset, 14 + header + _masks_behind(header, compression))
    if compression in _UNCOMPRESSED and offset + row_bytes * size[1] > len(data):
        raise HeaderError("is incomplete: the BMP is shorter than it says")
    fields = BitFields(
        offset=offset, row_bytes=row_bytes, depth=depth, masks=masks, top_down=height < 0
    )
    return ImageHeader(
        format="BMP",
        size=size,
        payload=data,
        pixel_bytes=4,
        decoder="bitmap" if direct else "opencv",
        bit_fields=fields if direct else None,
    )


def _masks_behind(header: int, compression: int) -> int:
    """Return the bytes of masks that follow the header."""
    if header != 40 or compression == _RGB:
        return 0
    return 16 if compression == _ALPHA_BIT_FIELDS else 12


def _masks(data: bytes, header: int, depth: int, compression: int) -> tuple[int, int, int, int]:
    """Return the bits of red, green, blue and alpha."""
    if compression == _RGB:
        return _PLAIN_MASKS[depth]
    red, green, blue = struct.unpack_from("<3I", data, _MASKS_AT)
    alpha = 0
    if compression == _ALPHA_BIT_FIELDS or header >= _WITH_ALPHA_MASK:
        (alpha,) = struct.unpack_from("<I", data, _MASKS_AT + 12)
    masks = (red, green, blue, alpha)
    if not all(map(_is_mask, masks)) or max(masks) >> depth or _overlap(masks) or 0 in masks[:3]:
        raise HeaderError("is damaged: the BMP does not say which bits are its colours")
    return masks


def _is_mask(mask: int) -> bool:
    """Return whether the bits are next to each other, or none is set."""
    return mask & (mask + (mask & -mask)) == 0


def _overlap(masks: tuple[int, ...]) -> bool:
    return sum(masks) != masks[0] | masks[1] | masks[2] | masks[3]
