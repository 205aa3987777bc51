"""A picture as a Python program has it: a path, a file's bytes, a PIL picture or an array.

Whatever it is, the same picture gives the same pixels: upright as its Exif states, and white where
it is transparent.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError, UsageError
from edgeinfer.device.core.paths import AnyPath
from edgeinfer.device.pictures.pixel_formats import (
    PixelFormat,
    ReductionRule,
    on_white,
    upright,
)

PixelOrder = Literal["rgb", "bgr"]
"""The order of the colour channels of an array; an alpha channel comes last in both."""


class PillowPicture(Protocol):
    """What tells a picture of the package Pillow (`PIL.Image.Image`) to a type checker."""

    @property
    def mode(self) -> str:
        """How its pixels are stored, such as `RGB`."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""

    def getexif(self) -> Any:
        """Return its Exif data."""


Picture: TypeAlias = "AnyPath | bytes | bytearray | memoryview | NDArray[Any] | PillowPicture"
"""A picture for `Model.predict`: a path, the bytes of an image file, an array or a PIL picture."""

_ORIENTATION = 0x0112
"""Exif's tag of how a picture is to be turned."""

_EXPECTED = "a path, the bytes of an image file, a PIL picture or an array"


@dataclass(frozen=True, kw_only=True)
class TakenPicture:
    """A picture, ready to be prepared for a model.

    Attributes:
        pixels: as `format` says.
        format: `rgb` or `bgr` (H, W, 3), or `grey` (H, W); uint8.
        size: (width, height) of the whole picture, which a JPEG's pixels may be a smaller decoding
            of.
    """

    pixels: NDArray[np.uint8]
    format: PixelFormat
    size: tuple[int, int]


def take_picture(
    picture: Picture,
    *,
    order: PixelOrder = "rgb",
    size: tuple[int, int] | None = None,
    reduction_rule: ReductionRule | None = None,
) -> TakenPicture:
    """Return the pixels of a picture, whatever it is.

    Args:
        picture: a path; the bytes of an image file; a PIL picture; or an array of uint8: (H, W) or
            (H, W, 1) grey, (H, W, 3) colour, (H, W, 4) with alpha.
        order: of an array's colours; files and PIL pictures know their own.
        size: (width, height) of the whole picture, where an array is a smaller decoding of it.
        reduction_rule: at which part of its size a JPEG file is decoded; None for whole.

    Raises:
        ImageError: it cannot be read, or is not a picture; the sentence says what to do.
        UsageError: `order` or `size` is impossible, or given for a file or a PIL picture.
    """
    if order not in get_args(PixelOrder):
        raise UsageError("order", got=f"is {order!r}", expected="'rgb' or 'bgr'")
    pillow = _pillow(picture)
    if isinstance(picture, (str, os.PathLike, bytes, bytearray, memoryview)) or pillow:
        what = "a PIL picture" if pillow else "a file"
        for name, given in (("order", order != "rgb"), ("size", size is not None)):
            if given:
                raise UsageError(
                    name, got=f"is given for {what}, which knows its own", next_step="leave it out"
                )
    if isinstance(picture, (str, os.PathLike)):
        from edgeinfer.device.pictures.decode import read_image_bytes

        return _decoded(read_image_bytes(picture), os.fspath(picture), reduction_rule)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _decoded(bytes(picture), "picture", reduction_rule)
    if pillow:
        return _taken(_pillow_pixels(picture), "rgb", None)
    return _taken(_array(picture), order, _checked_size(size))


def _decoded(data: bytes, subject: str, reduction_rule: ReductionRule | None) -> TakenPicture:
    from edgeinfer.device.pictures.decode import decode_image, image_size

    pixels = decode_image(data, subject=subject, reduction_rule=reduction_rule)
    return TakenPicture(pixels=pixels, format="rgb", size=image_size(data, subject=subject))


def _taken(
    pixels: NDArray[np.uint8], order: PixelOrder, size: tuple[int, int] | None
) -> TakenPicture:
    """Return a checked array: (H, W), or (H, W, 1, 3 or 4)."""
    height, width = pixels.shape[:2]
    pixel_format: PixelFormat = order
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels, pixel_format = pixels.reshape(height, width), "grey"
    elif pixels.shape[2] == 4:
        pixels = on_white(pixels[..., :3], pixels[..., 3:])
    return TakenPicture(pixels=pixels, format=pixel_format, size=size or (width, height))


def _array(picture: object) -> NDArray[np.uint8]:
    """Return an array that is a picture, or say what is wrong with it."""
    if picture is None or not (hasattr(picture, "__array__") or hasattr(picture, "read")):
        raise ImageError("picture", got=f"is {_kind(picture)}", expected=_EXPECTED)
    if hasattr(picture, "read") and not hasattr(picture, "__array__"):
        closed = "a closed file" if getattr(picture, "closed", False) else "an open file"
        raise ImageError(
            "picture",
            got=f"is {closed}",
            expected=_EXPECTED,
            next_step="give its path or its bytes",
        )
    try:
        pixels = np.asarray(picture)
    except Exception as error:  # such as a tensor on a GPU, by whatever package
        raise ImageError(
            "picture",
            got=f"is {_kind(picture)} that does not become an array ({_first_line(error)})",
            expected=_EXPECTED,
        ) from error
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)):
        raise ImageError(
            "picture",
            got=f"is an array of shape {pixels.shape}",
            expected="(height, width), or (height, width, 1, 3 or 4)",
            next_step=_shape_advice(pixels.shape),
        )
    if 0 in pixels.shape:
        raise ImageError(
            "picture", got=f"is an array of shape {pixels.shape}", expected="1 pixel or more"
        )
    if pixels.dtype != np.uint8:
        raise ImageError(
            "picture",
            got=f"is an array of {pixels.dtype}",
            expected="uint8, values from 0 to 255",
            next_step=_dtype_advice(pixels.dtype),
        )
    return pixels


def _shape_advice(shape: tuple[int, ...]) -> str:
    if len(shape) == 4:
        return "give one picture at a time, such as pixels[0]"
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return "put the channels last with pixels.transpose(1, 2, 0)"
    return ""


def _dtype_advice(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        return "values from 0 to 1 become it with (pixels * 255).round().astype('uint8')"
    if dtype == np.uint16:
        return "values of 16 bits become it with (pixels // 257).astype('uint8')"
    if dtype.kind == "b":
        return "make it with pixels.astype('uint8') * 255"
    if dtype.kind in "iu":
        return "make it with pixels.astype('uint8') where all values are from 0 to 255"
    return ""


def _checked_size(size: tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    try:
        width, height = (int(side) for side in size)
    except (TypeError, ValueError):
        width = height = 0
    if min(width, height) < 1:
        raise UsageError("size", got=f"is {size!r}", expected="(width, height), each 1 or more")
    return width, height


def _pillow(picture: object) -> Any:
    """Return the picture where it is one of Pillow's: a caller that has one has imported Pillow."""
    module = sys.modules.get("PIL.Image")
    kind = getattr(module, "Image", None)
    return picture if isinstance(kind, type) and isinstance(picture, kind) else None


def _pillow_pixels(picture: Any) -> NDArray[np.uint8]:
    """Return a PIL picture as an array, upright.

    Raises:
        ImageError: it is closed, incomplete, empty or of a mode without a fixed range.
    """
    from edgeinfer.device.pictures.pillow import ValueModeError, pillow_array

    try:
        picture.load()
        orientation = int(picture.getexif().get(_ORIENTATION, 1))
        pixels = pillow_array(picture)
    except ValueModeError as error:
        raise ImageError(
            "picture",
            got=str(error),
            expected="8 or 16 bits a channel",
            next_step="scale it to 0 to 255 and convert it with convert('L')",
        ) from error
    except Exception as error:  # each reader of Pillow raises other errors
        raise ImageError(
            "picture", got=f"is a PIL picture that cannot be read ({_first_line(error)})"
        ) from error
    return upright(_array(pixels), orientation)


def _kind(thing: object) -> str:
    name = type(thing).__name__
    return "None" if thing is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
