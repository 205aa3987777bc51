"""TIFF's first directory, and Exif, which is one. Sources: TIFF 6.0, Exif 2.32."""

from __future__ import annotations

import struct
from typing import NamedTuple

from edgeinfer.device.pictures.headers.base import Decoder, HeaderError, ImageHeader
from edgeinfer.device.pictures.headers.foreign import is_canon_raw

EXIF_PREFIX = b"Exif\x00\x00"

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_ORIENTATION, _SAMPLES, _ROWS, _TILE_WIDTH, _TILE_HEIGHT = 274, 277, 278, 322, 323
_PHOTOMETRIC, _PLANAR, _SUB_DIRECTORIES, _EXTRA_SAMPLES = 262, 284, 330, 338
_SUB_FILE, _DNG_VERSION = 254, 50706
_NEEDED = frozenset({_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORIENTATION, _SAMPLES, _ROWS})
_NEEDED |= {_TILE_WIDTH, _TILE_HEIGHT, _PHOTOMETRIC, _PLANAR, _EXTRA_SAMPLES}
_GREYS, _RGB, _PALETTE, _SEPARATED = (0, 1), 2, 3, 5
_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _SEPARATED: 4}
"""How many of a pixel's numbers are colours, by the photometric interpretation."""
_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Extra samples that are an alpha: with colours already multiplied by it, and not."""
_OPENCV_TILES = 32
"""Uncompressed tiles of 8 bits whose width is not a multiple of it are refused by OpenCV."""
_TYPES = {1: "B", 3: "H", 4: "I"}
_COMPRESSIONS = {
    1: "none",
    2: "CCITT RLE",
    3: "CCITT group 3",
    4: "CCITT group 4",
    5: "LZW",
    7: "JPEG",
    8: "deflate",
    32773: "PackBits",
    32946: "deflate",
}
"""What is decoded; the others are rare, and some unpack without bounds."""
_PILLOW_BYTES = 12
"""Of a pixel, as Pillow holds it and hands it over."""
_MAX_SAMPLES = 16
_MAX_BITS = 64


class _Entry(NamedTuple):
    """Small integers in a directory: the first, where it is, its struct code, how many.

    A single one is in its entry.
    """

    value: int
    position: int
    code: str
    values: int


def read_tiff(data: bytes) -> ImageHeader:
    """Read the first directory; what decoders could read in two ways is refused."""
    if is_canon_raw(data):
        raise HeaderError("is a camera raw file")
    tags = _read_tags(data, strict=True)
    if _DNG_VERSION in tags or (_SUB_DIRECTORIES in tags and _one(tags, _SUB_FILE, 0) & 1):
        # What is first in such a file is a thumbnail.
        raise HeaderError("is a camera raw file")
    width, height = _one(tags, _WIDTH), _one(tags, _HEIGHT)
    compression = _one(tags, _COMPRESSION, 1)
    if compression not in _COMPRESSIONS:
        raise HeaderError(f"is a TIFF with the rare compression {compression}")
    payload, orientation = data, _one(tags, _ORIENTATION, 1)
    if _ORIENTATION in tags:
        # OpenCV turns TIFF files itself, but not for every kind of pixel: the file then says that
        # the picture is upright, and the rotation is done once for all formats.
        payload = _with_value(payload, tags[_ORIENTATION], 1)
    rows = _one(tags, _ROWS, height)
    if rows > height > 0:
        # "All of them" is written as the largest number; some decoders take that much memory.
        payload = _with_value(payload, tags[_ROWS], height)
        rows = height
    samples, bits = _samples(data, tags)
    channels, channel_bytes = max(samples, 3), -(-bits // 8)
    part = (width, rows)
    if _TILE_WIDTH in tags or _TILE_HEIGHT in tags:
        part = _one(tags, _TILE_WIDTH), _one(tags, _TILE_HEIGHT)
    extra = tags[_EXTRA_SAMPLES].value if _EXTRA_SAMPLES in tags else None
    decoder = _decoder(tags, samples, bits, extra, uncompressed=compression == 1)
    return ImageHeader(
        format="TIFF",
        size=(width, height),
        payload=payload,
        pixel_bytes=channels * channel_bytes,
        extra_bytes=part[0] * part[1] * max(channels, 4) * channel_bytes
        + (_PILLOW_BYTES * width * height if decoder == "pillow" else 0),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        # libtiff's RGBA interface, which OpenCV uses for 8 bits, multiplies by alpha where
        # the file says that the extra channel is one.
        premultiplied=decoder == "opencv"
        and (extra == _ASSOCIATED or (extra == _UNASSOCIATED and bits <= 8)),
        opaque=extra is not None and extra not in (_ASSOCIATED, _UNASSOCIATED),
        decoder=decoder,
    )


def _decoder(
    tags: dict[int, _Entry], samples: int, bits: int, extra: int | None, *, uncompressed: bool
) -> Decoder:
    """Return what decodes a TIFF: OpenCV where all its versions read such a one, and read it right.

    Raises:
        HeaderError: its bands do not say which colours they are.
    """
    photometric = _one(tags, _PHOTOMETRIC, 1)
    colours = _COLOURS.get(photometric)
    if colours is None:
        return "opencv"
    if photometric in _GREYS and samples > 2:
        raise HeaderError(f"is a TIFF of {samples} bands that does not say which are its colours")
    if samples < colours:
        raise HeaderError(f"is damaged: the TIFF has {samples} of {colours} colours")
    tiled = _TILE_WIDTH in tags and samples < 4
    refused = tiled and uncompressed and bits == 8 and tags[_TILE_WIDTH].value % _OPENCV_TILES != 0
    grey_of_few_bits = photometric in _GREYS and bits not in (1, 8) and bits < 8
    second_band = photometric in _GREYS and samples == 2
    in_planes = _one(tags, _PLANAR, 1) == 2 and bits > 8 and samples > 1
    # Of 16 bits Pillow reads three colours in planes, and none of the others.
    rare = second_band or samples > 4 or (in_planes and (photometric, samples) != (_RGB, 3))
    if rare and bits > 8:
        raise HeaderError(f"is a rare TIFF, of {samples} bands of {bits} bits")
    if refused or grey_of_few_bits or second_band or in_planes or samples > 4:
        return "pillow"
    return "opencv"


def exif_orientation(exif: bytes) -> int:
    """Return the rotation that an Exif block states; damaged blocks count as upright."""
    try:
        entry = _read_tags(exif.removeprefix(EXIF_PREFIX), strict=False).get(_ORIENTATION)
    except (HeaderError, struct.error):
        return 1
    return entry.value if entry and 1 <= entry.value <= 8 else 1


def _read_tags(data: bytes, *, strict: bool) -> dict[int, _Entry]:
    """Return the first directory's small integers by tag.

    Args:
        data: a TIFF.
        strict: refuse a tag that is there twice: which of them counts, decoders differ in.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        raise HeaderError("is not a TIFF")
    (directory,) = struct.unpack_from(order + "I", data, 4)
    if directory + 2 > len(data):
        raise HeaderError("is incomplete: the TIFF ends before its directory")
    (count,) = struct.unpack_from(order + "H", data, directory)
    tags: dict[int, _Entry] = {}
    seen: set[int] = set()
    for position in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, position)
        if strict and tag in seen:
            raise HeaderError(f"is damaged: the TIFF has tag {tag} twice")
        seen.add(tag)
        if kind not in _TYPES or values == 0:
            if strict and tag in _NEEDED:
                raise HeaderError(f"is damaged: the TIFF's tag {tag} is not a number")
            continue
        code, place = order + _TYPES[kind], position + 8
        if values * struct.calcsize(code) > 4:
            if not strict:
                continue
            (place,) = struct.unpack_from(order + "I", data, place)
            if place + values * struct.calcsize(code) > len(data):
                raise HeaderError(f"is incomplete: the TIFF ends within tag {tag}")
        (value,) = struct.unpack_from(code, data, place)
        tags[tag] = _Entry(value, place, code, values)
    return tags


def _one(tags: dict[int, _Entry], tag: int, default: int | None = None) -> int:
    """Return the only number of a tag."""
    if tag not in tags:
        if default is None:
            raise HeaderError("is incomplete or damaged: the TIFF does not say its size")
        return default
    if tags[tag].values != 1:
        raise HeaderError(f"is damaged: the TIFF's tag {tag} has {tags[tag].values} numbers")
    return tags[tag].value


def _samples(data: bytes, tags: dict[int, _Entry]) -> tuple[int, int]:
    """Return how many numbers a pixel has, and the bits of the largest."""
    samples, bits = _one(tags, _SAMPLES, 1), 1
    if _BITS in tags:
        entry = tags[_BITS]
        values = min(entry.values, _MAX_SAMPLES)
        layout = f"{entry.code[0]}{values}{entry.code[1]}"
        bits = max(struct.unpack_from(layout, data, entry.position))
    if not (1 <= samples <= _MAX_SAMPLES and 1 <= bits <= _MAX_BITS):
        raise HeaderError(f"is a TIFF of {samples} numbers of {bits} bits a pixel")
    return samples, bits


def _with_value(data: bytes, entry: _Entry, value: int) -> bytes:
    """Return the file with another number in a tag."""
    packed = struct.pack(entry.code, value)
    return data[: entry.position] + packed + data[entry.position + len(packed) :]
