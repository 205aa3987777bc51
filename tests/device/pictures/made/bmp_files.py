"""BMP files of every header, depth, layout of bits and order of rows."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.device.pictures.made.scene import SCENE, grey_levels

MASKS_555 = (0x7C00, 0x3E0, 0x1F)
MASKS_565 = (0xF800, 0x7E0, 0x1F)
MASKS_888 = (0xFF0000, 0xFF00, 0xFF)
ALPHA_8 = 0xFF000000


def bmp(
    words: NDArray[np.uint32],
    depth: int,
    *,
    header: int = 40,
    compression: int = 0,
    masks: Sequence[int] = (),
    palette: bytes = b"",
    top_down: bool = False,
    body: bytes | None = None,
) -> bytes:
    """Return a BMP of (H, W) numbers of `depth` bits, or of a body that is already packed."""
    height, width = words.shape
    if body is None:
        rows = words if top_down else words[::-1]
        body = b"".join(_row(row, depth) for row in rows)
    if header == 12:
        about = struct.pack("<IHHHH", 12, width, height, 1, depth)
    else:
        said = -height if top_down else height
        about = struct.pack(
            "<IiiHHIIiiII", header, width, said, 1, depth, compression, len(body), 2835, 2835, 0, 0
        )
    # The masks are at the same place, behind a header of 40 bytes or within a longer one.
    about += struct.pack(f"<{len(masks)}I", *masks)
    about += bytes(max(0, header - len(about))) + palette
    return (
        b"BM"
        + struct.pack("<IHHI", 14 + len(about) + len(body), 0, 0, 14 + len(about))
        + (about + body)
    )


def _row(row: NDArray[np.uint32], depth: int) -> bytes:
    if depth < 8:
        single = (row[:, None] >> np.arange(depth, dtype=np.uint32)[::-1]) & 1
        packed = np.packbits(single.astype(np.uint8).reshape(-1)).tobytes()
    else:
        packed = row.astype("<u4").view(np.uint8).reshape(-1, 4)[:, : depth // 8].tobytes()
    return packed + bytes(-len(packed) % 4)


def packed(masks: Sequence[int], channels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the numbers that hold (H, W, C) channels of 8 bits by masks."""
    words = np.zeros(channels.shape[:2], np.uint64)
    for index, mask in enumerate(masks):
        low = (mask & -mask).bit_length() - 1
        most = mask >> low
        level = channels[..., index].astype(np.uint64)
        value = (level * np.uint64(most) + np.uint64(127)) // np.uint64(255)
        words |= value << np.uint64(low)
    return words.astype(np.uint32)


def bmps() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    alpha = grey_levels(8).astype(np.uint8)[:, ::-1]
    clear, none = np.dstack([SCENE, alpha]), np.dstack([SCENE, np.zeros_like(alpha)])
    five, six, eight = (packed(masks, SCENE) for masks in (MASKS_555, MASKS_565, MASKS_888))
    swapped, ten = (0xFF, 0xFF00, 0xFF0000), (0x3FF00000, 0xFFC00, 0x3FF)
    four = (0xF00, 0xF0, 0xF)
    for top_down in (False, True):
        end = "-top-down" if top_down else ""
        for depth in (1, 4, 8):
            colours = SCENE.reshape(-1, 3)[: 7 << depth : 7]
            colours = np.resize(colours, (1 << depth, 3))
            table = np.pad(colours[:, ::-1], ((0, 0), (0, 1))).tobytes()
            places = grey_levels(depth)[..., 0].astype(np.uint32)
            yield f"bmp-{depth}{end}", bmp(places, depth, palette=table, top_down=top_down)
        yield f"bmp-16{end}", bmp(five, 16, top_down=top_down)
        yield f"bmp-24{end}", bmp(eight, 24, top_down=top_down)
        yield f"bmp-32{end}", bmp(eight, 32, top_down=top_down)
        for name, words, depth, masks in (
            ("565", six, 16, MASKS_565),
            ("555", five, 16, MASKS_555),
            ("888", eight, 32, MASKS_888),
            ("swapped", packed(swapped, SCENE), 32, swapped),
        ):
            data = bmp(words, depth, compression=3, masks=masks, top_down=top_down)
            yield f"bmp-bit-fields-{name}{end}", data
    with_alpha = packed((*MASKS_888, ALPHA_8), clear)
    yield "bmp-12-byte-header", bmp(eight, 24, header=12)
    for header in (52, 56, 108, 124):
        own = (*MASKS_888, ALPHA_8)[: 3 if header == 52 else 4]
        # Pillow takes what no mask names for alpha where the header has 52 bytes: so it is full.
        words = with_alpha if header > 52 else eight | np.uint32(ALPHA_8)
        yield f"bmp-header-{header}", bmp(words, 32, header=header, compression=3, masks=own)
        yield (
            f"bmp-header-{header}-565",
            bmp(six, 16, header=header, compression=3, masks=(*MASKS_565, 0)[: len(own)]),
        )
    yield "bmp-alpha-bit-fields", bmp(with_alpha, 32, compression=6, masks=(*MASKS_888, ALPHA_8))
    yield (
        "bmp-alpha-of-zeros",
        bmp(
            packed((*MASKS_888, ALPHA_8), none),
            32,
            header=124,
            compression=3,
            masks=(*MASKS_888, ALPHA_8),
        ),
    )
    yield "bmp-bit-fields-10-bits", bmp(packed(ten, SCENE), 32, compression=3, masks=ten)
    yield "bmp-bit-fields-444", bmp(packed(four, SCENE), 16, compression=3, masks=four)
    yield from _run_lengths()


def _run_lengths() -> Iterator[tuple[str, bytes]]:
    for depth, compression in ((8, 1), (4, 2)):
        places = grey_levels(depth)[..., 0].astype(np.uint32)
        colours = np.resize(SCENE.reshape(-1, 3)[::7], (1 << depth, 3))
        table = np.pad(colours[:, ::-1], ((0, 0), (0, 1))).tobytes()
        body = b""
        for row in places[::-1]:
            for value in row:
                body += bytes((1, int(value) << (4 if depth == 4 else 0)))
            body += b"\0\0"
        body += b"\0\1"
        yield (
            f"bmp-run-lengths-{depth}",
            bmp(places, depth, compression=compression, palette=table, body=body),
        )
