"""PNG's chunks. Source: the PNG specification, third edition."""

from __future__ import annotations

import struct
import zlib

from edgeinfer.device.pictures.headers.base import HeaderError, ImageHeader
from edgeinfer.device.pictures.headers.tiff import exif_orientation

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}
_KEYS = {0: ">H", 2: ">3H"}
"""How the transparent colour of grey and RGB is written; a palette has a list of alphas instead."""
_MAX_CHUNKS = 200_000
"""Encoders write some thousands."""


def read_png(data: bytes) -> ImageHeader:
    """Walk the chunks to the last one, check each checksum, keep only what holds pixels.

    What is dropped (profiles, gamma, text, animation) makes some decoders warn and none decode
    differently; the rotation is read here. So is the transparent colour of grey and RGB, which
    OpenCV takes for alpha in some depths only.
    """
    kept, orientation, position = [PNG_SIGNATURE], 1, len(PNG_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if position + 12 > len(data):
            raise HeaderError("is incomplete: the PNG has no end")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise HeaderError("is incomplete: the PNG ends within a chunk")
        if kind in _KEPT:
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
        raise HeaderError(f"is damaged: the PNG has over {_MAX_CHUNKS:,} parts")
    kinds = [chunk[4:8] for chunk in kept[1:]]
    if kinds[0] != b"IHDR" or len(kept[1]) != 25:
        raise HeaderError("is damaged: the PNG does not say its size")
    if kinds.count(b"IHDR") > 1:
        raise HeaderError("is damaged: the PNG says its size twice")
    width, height, bits, colour = struct.unpack_from(">IIBB", kept[1], 8)
    key: tuple[int, ...] = ()
    if colour in _KEYS and b"tRNS" in kinds:
        key = _colour_key(kept[1 + kinds.index(b"tRNS")], bits, colour)
        kept = [chunk for chunk in kept if chunk[4:8] != b"tRNS"]
    channels = 4 if colour == 3 and b"tRNS" in kinds else _CHANNELS.get(colour, 4)
    return ImageHeader(
        format="PNG",
        size=(width, height),
        payload=b"".join(kept),
        pixel_bytes=2 * channels if bits == 16 else channels,
        orientation=orientation,
        colour_key=key,
    )


def _colour_key(chunk: bytes, bits: int, colour: int) -> tuple[int, ...]:
    """Return the transparent colour in the scale of a decoder, which gives 8 or 16 bits."""
    layout = _KEYS[colour]
    if len(chunk) != 12 + struct.calcsize(layout):
        raise HeaderError("is damaged: the PNG's transparent colour is not one")
    # Above the picture's bits the specification allows anything.
    levels = [value & (1 << bits) - 1 for value in struct.unpack_from(layout, chunk, 8)]
    return tuple(level * 255 // ((1 << bits) - 1) if bits < 8 else level for level in levels)
