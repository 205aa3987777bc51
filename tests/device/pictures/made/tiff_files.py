"""TIFF files of many kinds of bands, depths, layouts, compressions, byte orders and rotations."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.device.pictures.made.scene import SCENE, grey_levels, wide

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED = 0, 1, 2, 3, 5
_SHORT, _LONG = 3, 4


def tiff(
    samples: NDArray[Any],
    photometric: int,
    bits: int,
    *,
    extra: Sequence[int] | None = None,
    orientation: int = 0,
    order: str = "<",
    planar: bool = False,
    tile: int = 0,
    deflated: bool = False,
    differences: bool = False,
    colour_map: Sequence[int] = (),
    further: Sequence[tuple[int, Sequence[int]]] = (),
) -> bytes:
    """Return a TIFF of (H, W, C) samples in one strip, or in one a plane, or in square tiles."""
    height, width, channels = samples.shape
    planes = [samples[..., index : index + 1] for index in range(channels)] if planar else [samples]
    parts = [part for plane in planes for part in _parts(plane, tile)]
    blocks = [_packed(part, bits, order, differences=differences) for part in parts]
    if deflated:
        blocks = [zlib.compress(block) for block in blocks]
    tags: dict[int, Sequence[int]] = {
        256: (width,),
        257: (height,),
        258: (bits,) * channels,
        259: (8 if deflated else 1,),
        262: (photometric,),
        277: (channels,),
        284: (2 if planar else 1,),
    }
    if differences:
        tags[317] = (2,)
    if orientation:
        tags[274] = (orientation,)
    if colour_map:
        tags[320] = colour_map
    if extra is not None:
        tags[338] = extra
    tags |= dict(further)
    lengths = [len(block) for block in blocks]
    places = [8 + sum(n + n % 2 for n in lengths[:index]) for index in range(len(lengths))]
    if tile:
        tags |= {322: (tile,), 323: (tile,), 324: places, 325: lengths}
    else:
        tags |= {273: places, 278: (height,), 279: lengths}
    body = b"".join(block + bytes(len(block) % 2) for block in blocks)
    return _file(tags, body, order)


def _file(tags: dict[int, Sequence[int]], body: bytes, order: str) -> bytes:
    """Return the file: its pixels, its directory, and the numbers that the directory has no room
    for."""
    at = 8 + len(body)
    later_at = at + 2 + 12 * len(tags) + 4
    entries, later = b"", b""
    for tag, values in sorted(tags.items()):
        kind = _LONG if tag in (273, 279, 324, 325) else _SHORT
        packed = struct.pack(order + f"{len(values)}{'HI'[kind == _LONG]}", *values)
        if len(packed) > 4:
            place = later_at + len(later)
            later += packed + bytes(len(packed) % 2)
            packed = struct.pack(order + "I", place)
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return head + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + later


def _parts(plane: NDArray[Any], tile: int) -> list[NDArray[Any]]:
    if not tile:
        return [plane]
    height, width = plane.shape[:2]
    full = np.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)))
    return [
        full[top : top + tile, left : left + tile]
        for top in range(0, height, tile)
        for left in range(0, width, tile)
    ]


def _packed(part: NDArray[Any], bits: int, order: str, *, differences: bool) -> bytes:
    if differences:
        part = np.diff(part.astype(np.int64), axis=1, prepend=0) % (1 << bits)
    if bits == 16:
        return part.astype(order + "u2").tobytes()
    rows = part.astype(np.uint8).reshape(len(part), -1)
    single = (rows[:, :, None] >> np.arange(bits)[::-1]) & 1
    return b"".join(np.packbits(row.reshape(-1)).tobytes() for row in single)


def tiffs() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    colours = SCENE.astype(np.uint16)
    alpha = grey_levels(8)[:, ::-1]
    for bits in (1, 4, 8, 16):
        yield f"tiff-grey-{bits}", tiff(grey_levels(bits), BLACK_IS_ZERO, bits)
        yield f"tiff-grey-inverse-{bits}", tiff(grey_levels(bits), WHITE_IS_ZERO, bits)
    for bits in (4, 8):
        levels = np.resize(SCENE.reshape(-1, 3)[::7], (1 << bits, 3)).T.reshape(-1)
        table = (levels * np.uint16(257)).tolist()
        yield f"tiff-palette-{bits}", tiff(grey_levels(bits), PALETTE, bits, colour_map=table)
    yield "tiff-cmyk-8", tiff(np.dstack([colours, alpha]), SEPARATED, 8)
    for bits, picture, band in ((8, colours, alpha), (16, wide(colours), wide(alpha))):
        four, two = np.dstack([picture, band]), np.dstack([picture[..., :1], band])
        multiplied = np.dstack([picture.astype(np.uint64) * band // (2**bits - 1), band])
        yield f"tiff-rgb-{bits}", tiff(picture, RGB, bits)
        yield f"tiff-rgb-extra-none-{bits}", tiff(four, RGB, bits)
        yield f"tiff-rgb-extra-0-{bits}", tiff(four, RGB, bits, extra=(0,))
        yield f"tiff-rgb-extra-0-{bits}-big-endian", tiff(four, RGB, bits, extra=(0,), order=">")
        yield f"tiff-rgb-extra-0-{bits}-planar", tiff(four, RGB, bits, extra=(0,), planar=True)
        yield f"tiff-rgb-extra-0-{bits}-tiled", tiff(four, RGB, bits, extra=(0,), tile=16)
        yield f"tiff-rgb-extra-0-{bits}-deflated", tiff(four, RGB, bits, extra=(0,), deflated=True)
        yield f"tiff-rgb-extra-1-{bits}", tiff(multiplied, RGB, bits, extra=(1,))
        yield f"tiff-rgb-extra-2-{bits}", tiff(four, RGB, bits, extra=(2,))
        yield f"tiff-rgb-extra-2-{bits}-tiled", tiff(four, RGB, bits, extra=(2,), tile=16)
        for extra in (0, 2):
            yield f"tiff-grey-extra-{extra}-{bits}", tiff(two, BLACK_IS_ZERO, bits, extra=(extra,))
        five = np.dstack([four, band[::-1]])
        yield f"tiff-rgb-extra-0-0-{bits}", tiff(five, RGB, bits, extra=(0, 0))
        yield f"tiff-grey-bands-4-{bits}", tiff(four, BLACK_IS_ZERO, bits, extra=(0, 0, 0))
        yield f"tiff-rgb-{bits}-planar", tiff(picture, RGB, bits, planar=True)
        yield f"tiff-rgb-{bits}-tiled", tiff(picture, RGB, bits, tile=16)
        yield f"tiff-rgb-{bits}-big-endian", tiff(picture, RGB, bits, order=">")
        yield (
            f"tiff-rgb-{bits}-differences",
            tiff(picture, RGB, bits, deflated=True, differences=True),
        )
        for orientation in (3, 6, 8):
            yield (
                f"tiff-grey-{bits}-orientation-{orientation}",
                tiff(grey_levels(bits), BLACK_IS_ZERO, bits, orientation=orientation),
            )
    for orientation in range(1, 9):
        yield f"tiff-orientation-{orientation}", tiff(colours, RGB, 8, orientation=orientation)
    yield from _by_libtiff()


def _by_libtiff() -> Iterator[tuple[str, bytes]]:
    picture = Image.fromarray(SCENE)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield f"tiff-{compression}", _saved(picture, compression=compression)
    one_bit = Image.fromarray(grey_levels(1)[..., 0].astype(np.uint8) * 255).convert("1")
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield f"tiff-{compression}", _saved(one_bit, compression=compression)
    yield "tiff-pages", _saved(picture, save_all=True, append_images=[picture.rotate(180)])


def _saved(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "TIFF", **options)
    return stream.getvalue()
