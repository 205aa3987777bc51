"""Pictures that the package Pillow, or its plug-in for HEIC, decodes; an extra brings both."""

from __future__ import annotations

import importlib
import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.headers import HeaderError, ImageHeader, MissingDecoderError
from edgeinfer.device.pictures.pixel_formats import to_8_bits

# What Pillow says of odd tags is for programmers; a filter that a program has set goes before this.
warnings.filterwarnings("ignore", module=r"PIL\.", append=True)

_READERS = {
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
}
"""A class that reads each format alone: `Image.open` would try all, and count sizes by itself."""


def decode_with_pillow(header: ImageHeader) -> NDArray[np.uint8]:
    """Decode the first picture of a file: (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA, not turned.

    Raises:
        MissingDecoderError: Pillow is not installed.
        HeaderError: the file is damaged; the text says how, to follow the file's name.
    """
    module, name = _READERS[header.format]
    try:
        reader = getattr(importlib.import_module(module), name)
    except ImportError as error:
        text = f"is a {header.format} of a kind that needs Pillow"
        if header.format != "TIFF":
            text = f"is a {header.format} picture, which needs Pillow"
        raise MissingDecoderError(text) from error
    try:
        with reader(io.BytesIO(header.payload)) as picture:
            picture.load()
            pixels = pillow_array(picture)
    except ValueModeError as error:
        raise HeaderError(str(error)) from error
    except Exception as error:  # each reader of Pillow raises other errors
        raise HeaderError(
            f"cannot be decoded: the {header.format} is damaged or of a rare kind"
        ) from error
    return _bgr(pixels)


def decode_heic(header: ImageHeader) -> NDArray[np.uint8]:
    """Decode a HEIC's main picture: (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA, upright.

    Raises:
        HeaderError: the file is damaged; the text says how, to follow the file's name.
    """
    from pillow_heif import open_heif  # its header could not have been read without it

    try:
        return np.array(open_heif(io.BytesIO(header.payload), bgr_mode=True), np.uint8)
    except Exception as error:  # what libheif says comes as several classes
        raise HeaderError("cannot be decoded: the HEIC is damaged or of a rare kind") from error


class ValueModeError(ValueError):
    """A picture's values have no fixed range; the text says which they are."""


def pillow_array(picture: Any) -> NDArray[np.uint8]:
    """Return a picture of Pillow as an array: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA.

    Args:
        picture: a `PIL.Image.Image` that is loaded; its rotation stays as it is.

    Raises:
        ValueModeError: its values have no fixed range.
    """
    mode = str(picture.mode)
    if mode.startswith("I;16"):
        return to_8_bits(np.asarray(picture, np.uint16))
    if mode in ("I", "F"):
        raise ValueModeError(f"is a PIL picture of mode {mode}, whose values have no fixed range")
    if mode not in ("L", "RGB", "RGBA") or "transparency" in picture.info:
        return np.asarray(picture.convert(_mode_for(picture)))
    return np.asarray(picture)


def _mode_for(picture: Any) -> str:
    if picture.mode == "1":
        return "L"
    transparent = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa")
    return "RGBA" if transparent or "transparency" in picture.info else "RGB"


def _bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGB or RGBA in OpenCV's order, grey as it is."""
    if pixels.ndim == 2:
        return np.array(pixels)
    order = [2, 1, 0, 3][: pixels.shape[2]]
    swapped = np.empty_like(pixels)
    for channel, source in enumerate(order):
        swapped[..., channel] = pixels[..., source]
    return swapped
