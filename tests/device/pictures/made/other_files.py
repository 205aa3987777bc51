"""JPEG, WebP, GIF, HEIC and AVIF files, as Pillow and its plug-in write them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from tests.device.pictures.made.scene import SCENE, exif_block, grey_levels

PHOTO = Image.fromarray(SCENE)
GREY = PHOTO.convert("L")
CLEAR = PHOTO.copy()
CLEAR.putalpha(Image.fromarray(grey_levels(8)[:, ::-1, 0].astype(np.uint8)))
HOLES = CLEAR.copy()
HOLES.putalpha(Image.fromarray(np.where(SCENE[..., 1] > 90, 255, 0).astype(np.uint8)))


def saved(kind: str, picture: Image.Image = PHOTO, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation: int, order: str = "<") -> bytes:
    """Return Exif data as Pillow takes it."""
    return b"Exif\0\0" + exif_block(orientation, order)


def jpegs() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    for progressive in (False, True):
        end = "-progressive" if progressive else ""
        for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
            for quality in (75, 95):
                data = saved("JPEG", quality=quality, subsampling=sampling, progressive=progressive)
                yield f"jpeg-{sampling.replace(':', '')}-{quality}{end}", data
        yield f"jpeg-grey{end}", saved("JPEG", GREY, quality=90, progressive=progressive)
        cmyk = saved("JPEG", _cmyk(), quality=95, progressive=progressive)
        yield f"jpeg-cmyk{end}", cmyk
        place = cmyk.index(b"Adobe") + 11
        yield f"jpeg-ycck{end}", cmyk[:place] + b"\x02" + cmyk[place + 1 :]
    yield "jpeg-restarts", saved("JPEG", quality=90, restart_marker_blocks=2)
    yield "jpeg-rgb", saved("JPEG", quality=95, keep_rgb=True)
    for orientation in range(1, 9):
        yield f"jpeg-orientation-{orientation}", saved("JPEG", quality=95, exif=turned(orientation))
    yield "jpeg-orientation-big-endian", saved("JPEG", quality=95, exif=turned(6, ">"))
    yield "jpeg-with-another-behind", saved("JPEG", quality=95) + saved("JPEG", GREY)
    yield "jpeg-pictures", saved("MPO", save_all=True, append_images=[PHOTO.rotate(180)])


def _cmyk() -> Image.Image:
    return Image.merge("CMYK", [*PHOTO.split(), GREY])


def webps() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    for name, picture in (("rgb", PHOTO), ("rgba", CLEAR), ("grey", GREY.convert("RGB"))):
        yield f"webp-lossless-{name}", saved("WEBP", picture, lossless=True, exact=True)
        yield f"webp-lossy-{name}", saved("WEBP", picture, quality=90)
    for orientation in range(1, 9):
        yield (
            f"webp-orientation-{orientation}",
            saved("WEBP", lossless=True, exif=turned(orientation)),
        )
    moving: dict[str, Any] = {"save_all": True, "append_images": [PHOTO.rotate(180)]}
    for name, picture in (("rgb", PHOTO), ("rgba", CLEAR)):
        yield f"webp-animated-lossless-{name}", saved("WEBP", picture, lossless=True, **moving)
        yield f"webp-animated-lossy-{name}", saved("WEBP", picture, quality=90, **moving)
    yield "webp-animated-turned", saved("WEBP", lossless=True, exif=turned(6), **moving)
    yield "webp-animated-part", part_of_canvas()


def part_of_canvas() -> bytes:
    """Return an animation whose first frame covers a part of its picture."""
    still = saved("WEBP", CLEAR, lossless=True)
    frame = still[still.index(b"VP8L") :]

    def three(value: int) -> bytes:
        return value.to_bytes(3, "little")

    sides = three(PHOTO.width - 1) + three(PHOTO.height - 1)
    place = three(4) + three(3) + sides + three(50) + b"\0"
    canvas = b"\x12\0\0\0" + three(79) + three(59)
    chunks = (
        (b"VP8X", canvas),
        (b"ANIM", b"\x10\x20\x30\xff\0\0"),
        (b"ANMF", place + frame),
        (b"ANMF", place + frame),
    )
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gifs() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    colours = PHOTO.quantize(64)
    for interlaced in (False, True):
        end = "-interlaced" if interlaced else ""
        yield f"gif-palette{end}", saved("GIF", colours, interlace=interlaced)
        yield f"gif-grey{end}", saved("GIF", GREY, interlace=interlaced)
        yield f"gif-clear{end}", saved("GIF", HOLES, interlace=interlaced)
    yield "gif-two-colours", saved("GIF", PHOTO.quantize(2))
    moving: dict[str, Any] = {"save_all": True, "append_images": [colours.rotate(180)]}
    yield "gif-animated", saved("GIF", colours, **moving)
    yield (
        "gif-animated-clear",
        saved("GIF", HOLES, save_all=True, append_images=[CLEAR.rotate(180)]),
    )
    small = saved("GIF", colours)
    # On a larger screen, at (5, 3).
    screen = small[:6] + struct.pack("<HH", 70, 50) + small[10:]
    place = screen.index(b"," + struct.pack("<HHHH", 0, 0, *PHOTO.size))
    yield "gif-part", screen[: place + 1] + struct.pack("<HH", 5, 3) + screen[place + 5 :]


def heic(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, **options)
    return stream.getvalue()


def heics() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    yield "heic-rgb", heic(PHOTO, quality=90)
    yield "heic-444", heic(PHOTO, quality=95, chroma=444)
    yield "heic-grey", heic(GREY, quality=90)
    yield "heic-rgba", heic(CLEAR, quality=90)
    for orientation in range(1, 9):
        yield f"heic-orientation-{orientation}", heic(PHOTO, quality=90, exif=turned(orientation))


def avifs() -> Iterator[tuple[str, bytes]]:
    """Yield names and files."""
    yield "avif-rgb", saved("AVIF", quality=90)
    yield "avif-444", saved("AVIF", quality=95, subsampling="4:4:4")
    yield "avif-grey", saved("AVIF", GREY, quality=90)
    yield "avif-rgba", saved("AVIF", CLEAR, quality=90)
    yield "avif-animated", saved("AVIF", save_all=True, append_images=[PHOTO.rotate(180)])
    for orientation in range(1, 9):
        yield f"avif-orientation-{orientation}", saved("AVIF", quality=90, exif=turned(orientation))
