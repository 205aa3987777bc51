"""PNG files of every colour type, depth, transparency, order of rows and rotation."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.device.pictures.made.scene import SCENE, exif_block, grey_levels, wide

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""Adam7: first column, first row, step of columns, step of rows."""


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(
    samples: NDArray[np.uint16],
    colour: int,
    bits: int,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a PNG of (H, W, C) samples, each below 2**bits; other chunks around its pixels."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(
        _rows(samples[top::down, left::across], bits)
        for left, top, across, down in passes
        if samples[top::down, left::across].size
    )
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows)) + after
    return SIGNATURE + body + chunk(b"IEND", b"")


def _rows(samples: NDArray[np.uint16], bits: int) -> bytes:
    rows = []
    for row in samples.reshape(len(samples), -1):
        if bits == 16:
            packed = row.astype(">u2").tobytes()
        else:
            single = (row[:, None] >> np.arange(bits)[::-1]) & 1
            packed = np.packbits(single.astype(np.uint8).reshape(-1)).tobytes()
        rows.append(b"\0" + packed)
    return b"".join(rows)


def pngs() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    for name, samples, colour, bits, before in _kinds():
        for interlaced in (False, True):
            order = "-interlaced" if interlaced else ""
            yield (
                f"png-{name}{order}",
                png(samples, colour, bits, interlaced=interlaced, before=before),
            )
    colours = SCENE.astype(np.uint16)
    for orientation in range(1, 9):
        before = chunk(b"eXIf", exif_block(orientation))
        yield f"png-orientation-{orientation}", png(colours, 2, 8, before=before)
    late = chunk(b"eXIf", exif_block(6, ">"))
    yield "png-orientation-behind-pixels", png(colours, 2, 8, after=late)
    yield "png-gamma", png(colours, 2, 8, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    height, width = colours.shape[:2]
    control = struct.pack(">5I2H2B", 0, width, height, 0, 0, 1, 10, 0, 0)
    second = chunk(b"fcTL", struct.pack(">I", 1) + control[4:]) + chunk(
        b"fdAT",
        struct.pack(">I", 2) + zlib.compress(_rows(colours[::-1], 8)),
    )
    moving = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", control)
    yield "png-animated", png(colours, 2, 8, before=moving, after=second)


def _kinds() -> Iterator[tuple[str, NDArray[np.uint16], int, int, bytes]]:
    colours, alpha = SCENE.astype(np.uint16), grey_levels(8)[:, ::-1]
    for bits in (1, 2, 4, 8, 16):
        grey = grey_levels(bits)
        yield f"grey-{bits}", grey, 0, bits, b""
        key = struct.pack(">H", int(grey[3, 5, 0]))
        yield f"grey-key-{bits}", grey, 0, bits, chunk(b"tRNS", key)
    for bits in (1, 2, 4, 8):
        places = grey_levels(bits)
        count = int(places.max()) + 1
        palette = chunk(b"PLTE", SCENE.reshape(-1, 3)[: 7 * count : 7].tobytes())
        yield f"palette-{bits}", places, 3, bits, palette
        clear = chunk(b"tRNS", bytes(range(0, 256, 40))[: min(count, 6)])
        yield f"palette-clear-{bits}", places, 3, bits, palette + clear
    for bits, picture, clear_by in ((8, colours, alpha), (16, wide(colours), wide(alpha))):
        key = struct.pack(">3H", *map(int, picture[3, 5]))
        yield f"rgb-{bits}", picture, 2, bits, b""
        yield f"rgb-key-{bits}", picture, 2, bits, chunk(b"tRNS", key)
        yield f"grey-alpha-{bits}", np.dstack([picture[..., :1], clear_by]), 4, bits, b""
        yield f"rgba-{bits}", np.dstack([picture, clear_by]), 6, bits, b""
