"""How cameras lay pixels out in memory, and their way to RGB; PreprocessSpec states the arithmetic.

| format | array, uint8 | |
|---|---|---|
| rgb, bgr | (H, W, 3) | |
| grey | (H, W) | |
| yuyv | (H, W, 2) | Y with U or V, in turn, along a row; even W |
| nv12 | (H * 3 / 2, W) | H rows of Y, then H / 2 rows of U and V in turn; even W and H |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""The pixels of a picture, (H, W, 3) uint8 RGB, the first row at the top."""

IMAGE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif"),
        *(".tiff", ".gif", ".heic", ".heif", ".hif", ".avif"),
    }
)
"""Suffixes, in lower case, of the files that may be images; the content decides."""

JpegReduction = Literal[1, 2, 4, 8]
"""A JPEG is decoded at 1, 1/2, 1/4 or 1/8 of its width and height."""

ReductionRule: TypeAlias = Callable[[tuple[int, int]], JpegReduction]
"""A function that gets a picture's (width, height) and returns 1, 2, 4 or 8, see `read_image`."""

TURNED = (5, 6, 7, 8)
"""Exif's orientations whose width and height change places."""

PixelFormat = Literal["rgb", "bgr", "grey", "yuyv", "nv12"]

_CHANNELS = {"rgb": 3, "bgr": 3, "yuyv": 2}

# Source: ITU-R BT.601, studio range, times 2**13.
_LUMA = 9539  # 1.164383
_RED_FROM_V = 13075  # 1.596027
_GREEN_FROM_U = 3209  # 0.391762
_GREEN_FROM_V = 6660  # 0.812968
_BLUE_FROM_U = 16525  # 2.017232
_FRACTION_BITS = 5


def picture_size(pixels: NDArray[np.uint8], pixel_format: PixelFormat) -> tuple[int, int]:
    """Return (width, height) of the picture in an array.

    Raises:
        ValueError: the array does not hold a picture in that format.
    """
    channels = _CHANNELS.get(pixel_format)
    shape = pixels.shape
    fits = shape[2:] == (() if channels is None else (channels,)) and len(shape) >= 2
    if pixel_format in ("yuyv", "nv12"):
        fits = fits and shape[1] % 2 == 0
    if pixel_format == "nv12":
        fits = fits and shape[0] % 3 == 0
    if not fits or pixels.dtype != np.uint8 or 0 in shape:
        raise ValueError(f"pixels are {shape} {pixels.dtype}, expected a picture in {pixel_format}")
    return shape[1], shape[0] * 2 // 3 if pixel_format == "nv12" else shape[0]


def picture_shape(size: tuple[int, int], pixel_format: PixelFormat) -> tuple[int, ...]:
    """Return the shape of the array that holds a picture of `size` (width, height)."""
    width, height = size
    if pixel_format == "nv12":
        return height * 3 // 2, width
    channels = _CHANNELS.get(pixel_format)
    return (height, width) if channels is None else (height, width, channels)


def to_rgb(pixels: NDArray[np.uint8], pixel_format: PixelFormat) -> Pixels:
    """Return the picture as (H, W, 3) uint8 RGB; of RGB and BGR a view, else a new array.

    Raises:
        ValueError: the array does not hold a picture in that format.
    """
    _, height = picture_size(pixels, pixel_format)
    if pixel_format == "rgb":
        return pixels
    if pixel_format == "bgr":
        return pixels[..., ::-1]
    if pixel_format == "grey":
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixel_format == "yuyv":
        luma, u, v = pixels[..., 0], pixels[:, 0::2, 1], pixels[:, 1::2, 1]
    else:
        luma, chroma = pixels[:height], np.repeat(pixels[height:], 2, axis=0)
        u, v = chroma[:, 0::2], chroma[:, 1::2]
    return _from_yuv(luma, np.repeat(u, 2, axis=1), np.repeat(v, 2, axis=1))


def to_8_bits(part: NDArray[Any]) -> NDArray[np.uint8]:
    """Divide 16 bits by 257, rounded; leave 8 as they are."""
    if part.dtype == np.uint16:
        return ((part.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return part.astype(np.uint8, copy=False)


def on_white(
    colours: NDArray[np.uint8], alpha: NDArray[np.uint8], *, premultiplied: bool = False
) -> NDArray[np.uint8]:
    """Return colours (H, W, 3) as they look on white with an alpha of (H, W, 1)."""
    wide, opaque = colours.astype(np.uint16), alpha.astype(np.uint16)
    # At most 255 * 255 + 127, which 16 bits hold.
    weighted = wide if premultiplied else (wide * opaque + 127) // np.uint16(255)
    return np.minimum(weighted + (np.uint16(255) - opaque), 255).astype(np.uint8)


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the rotation and mirroring that Exif's `orientation` states; a view."""
    if orientation in TURNED:
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _from_yuv(luma: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> Pixels:
    """Turn three planes of one size into RGB."""
    y, du, dv = (plane.astype(np.int32) - zero for plane, zero in ((luma, 16), (u, 128), (v, 128)))
    bright = _product(y, _LUMA)
    red = bright + _product(dv, _RED_FROM_V)
    green = bright - (_product(du, _GREEN_FROM_U) + _product(dv, _GREEN_FROM_V))
    blue = bright + _product(du, _BLUE_FROM_U)
    rounded = (np.stack((red, green, blue), axis=-1) + (1 << (_FRACTION_BITS - 1))) >> (
        _FRACTION_BITS
    )
    clipped: Pixels = np.clip(rounded, 0, 255).astype(np.uint8)
    return clipped


def _product(values: NDArray[np.int32], factor: int) -> NDArray[np.int32]:
    """Multiply by a 13-bit factor, rounded to 5 fractional bits: one instruction of SIMD units."""
    product: NDArray[np.int32] = ((values << 7) * np.int32(factor) + (1 << 14)) >> 15
    return product
