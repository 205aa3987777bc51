"""GIF's blocks up to its first picture. Source: GIF89a."""

from __future__ import annotations

import struct

from edgeinfer.device.pictures.headers.base import HeaderError, ImageHeader

_MAX_BLOCKS = 200_000
"""Before the first picture; encoders write some."""


def read_gif(data: bytes) -> ImageHeader:
    """Read the size of the screen, and of the first picture, which must be on it."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _palette_bytes(flags)
    for _ in range(_MAX_BLOCKS):
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
        raise HeaderError(f"is damaged: the GIF has over {_MAX_BLOCKS:,} parts before its picture")
    return ImageHeader(
        format="GIF",
        size=(width, height),
        payload=data,
        pixel_bytes=4,
        # Pillow holds places in the palette, its colours, and those as bytes, twice for a time.
        extra_bytes=13 * width * height,
        decoder="pillow",
    )


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
