"""Small pictures in all formats that are read."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image

from tests.device.pictures.made.every_file import every_file
from tests.device.pictures.made.other_files import heic

_MADE = (
    *("png-grey-key-4", "png-rgb-key-16", "webp-animated-part", "gif-part", "tiff-grey-4"),
    *("bmp-bit-fields-888", "bmp-bit-fields-565", "bmp-alpha-bit-fields", "bmp-header-124"),
    *("bmp-12-byte-header", "bmp-16", "tiff-rgb-extra-0-8", "tiff-rgb-extra-0-16-tiled"),
    *("tiff-rgb-16-planar", "tiff-rgb-extra-0-0-8", "tiff-grey-extra-2-8", "tiff-rgb-8-tiled"),
)
"""Of those that are compared with Pillow."""


@cache
def jpegs() -> tuple[bytes, ...]:
    """Return JPEGs: baseline, progressive, with restarts, grey, turned."""
    exif = Image.Exif()
    exif[274] = 6
    photo = _photo()
    return (
        _saved(photo, "JPEG"),
        _saved(photo, "JPEG", progressive=True),
        _saved(photo, "JPEG", restart_marker_blocks=1),
        _saved(photo.convert("L"), "JPEG"),
        _saved(photo, "JPEG", exif=exif),
        _saved(photo.convert("CMYK"), "JPEG"),
    )


@cache
def others() -> tuple[bytes, ...]:
    """Return PNG, WebP, BMP, GIF, TIFF, HEIC and AVIF of several kinds."""
    photo = _photo()
    clear = photo.copy()
    clear.putalpha(90)
    palette = photo.quantize(16)
    moving: dict[str, Any] = {"save_all": True, "append_images": [photo.rotate(180)]}
    return (
        *(_saved(image, "PNG") for image in (photo, clear, palette, photo.convert("1"))),
        _saved(photo.convert("I;16"), "PNG"),
        _saved(photo, "PNG", **moving),
        *(_saved(image, "WEBP", lossless=True) for image in (photo, clear)),
        _saved(photo, "WEBP"),
        _saved(clear, "WEBP", quality=50),
        _saved(photo, "WEBP", **moving),
        *(_saved(image, "BMP") for image in (photo, palette, photo.convert("L"))),
        _saved(palette, "GIF"),
        _saved(palette, "GIF", save_all=True, append_images=[palette.rotate(180)]),
        *(_saved(image, "TIFF") for image in (photo, clear, palette, photo.convert("1"))),
        *(_saved(photo, "TIFF", compression=f"tiff_{kind}") for kind in ("lzw", "deflate", "jpeg")),
        _saved(photo.convert("1"), "TIFF", compression="group4"),
        _saved(photo, "TIFF", compression="packbits"),
        _saved(clear, "WEBP", lossless=True, **moving),
        _saved(clear, "GIF", **moving),
        _saved(photo, "AVIF"),
        heic(photo),
        *(every_file()[name] for name in _MADE),
    )


def _photo() -> Image.Image:
    return Image.linear_gradient("L").resize((24, 17)).convert("RGB")


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
