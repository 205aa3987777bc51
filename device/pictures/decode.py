"""Image files in, (H, W, 3) uint8 RGB out, the same on every machine and OpenCV from 4.6 on.

Rules, where formats leave a choice:

- Rotation as Exif states it, in JPEG, PNG, WebP and TIFF.
- Transparent pixels become white.
- 16 bits become 8 by v / 257, rounded: 0 stays 0 and 65535 becomes 255. Cameras that put 12 bits
  into 16 give dark pictures; their files are not guessed at.
- Grey is repeated in three channels; palettes, CMYK and YCCK become RGB without colour profiles.
- Of an animation or a document the first picture counts. GIF needs an OpenCV that reads it.

The memory that decoding takes is known before any is taken: from the header, which must not say two
things, and bounded by the file's own size. See `headers`.

Two decoders may differ by a grey level in JPEG; PNG, BMP, TIFF and lossless WebP are exact.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.device.pictures.headers import (
    MAX_PIXELS,
    HeaderError,
    ImageHeader,
    foreign_format,
    image_format,
    memory_limit,
    read_header,
)
from edgeinfer.device.pictures.jpeg import JPEG_FLAGS
from edgeinfer.device.pictures.pixel_formats import (
    TURNED,
    JpegReduction,
    Pixels,
    ReductionRule,
    on_white,
    to_8_bits,
    upright,
)
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "decode_image",
    "encode_png",
    "image_size",
    "read_image",
    "read_image_bytes",
    "read_image_size",
]

MAX_FILE_BYTES = 2**28
"""Largest file that is read."""

_REPLACE = "replace it or remove it"
_ROW_PIXELS = 1 << 18
"""Pixels that are converted in one step."""


def decode_image(
    data: bytes, *, subject: str, reduction_rule: ReductionRule | None = None
) -> Pixels:
    """Decode the bytes of an image file.

    Args:
        data: the whole file.
        subject: what errors call it, such as its path.
        reduction_rule: at which part of its size a JPEG is decoded, such as a model's
            preprocessing states; None for whole.

    Returns:
        (H, W, 3) uint8 RGB, contiguous, upright.

    Raises:
        ImageError: it is empty, not an image, incomplete, damaged or absurdly large.
    """
    header = _checked_header(data, subject)
    quiet_opencv()
    # JPEG has no alpha; everything else is taken as stored, to see alpha and 16 bits.
    flags = cv2.IMREAD_UNCHANGED
    reduction: JpegReduction = 1
    if header.format == "JPEG":
        if reduction_rule is not None:
            reduction = reduction_rule(_upright_size(header))
        flags = JPEG_FLAGS[reduction]
    _check_memory(header, len(data), reduction, subject)
    try:
        decoded = cv2.imdecode(np.frombuffer(header.payload, np.uint8), flags)
    except cv2.error:
        decoded = None
    # The stubs of OpenCV leave out that imdecode gives None for what it cannot read.
    if decoded is None:  # type: ignore[unreachable, unused-ignore]
        raise ImageError(
            subject,
            got=f"cannot be decoded: the {header.format} is damaged or of a rare kind",
            next_step="save it as JPEG or PNG, or remove it",
        )
    if decoded.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            subject,
            got=f"has {decoded.dtype} pixels",
            expected="8 or 16 bits a channel",
            next_step="save it as JPEG or PNG, or remove it",
        )
    said = tuple(-(-side // reduction) for side in header.size)
    if decoded.shape[1::-1] != said:
        raise ImageError(
            subject,
            got=f"says it is {said[0]} x {said[1]} pixels large and is "
            f"{decoded.shape[1]} x {decoded.shape[0]}",
            next_step=_REPLACE,
        )
    pixels = _to_rgb(decoded, header)
    return np.ascontiguousarray(upright(pixels, header.orientation))


def read_image(path: AnyPath, reduction_rule: ReductionRule | None = None) -> Pixels:
    """Read an image file and return its pixels as (H, W, 3) uint8 RGB.

    An Exif rotation is applied, and transparent parts become white.

    Examples:
        >>> pixels = edgeinfer.read_image("picture.jpg")
        >>> pixels.shape
        (720, 1280, 3)

    Args:
        path: path of the image file: JPEG, PNG, WebP, BMP, GIF or TIFF.
        reduction_rule: a function that gets the (width, height) of a JPEG file and returns 1, 2, 4
            or 8: the file is decoded to that part of its width and height, which is faster. By
            default it is decoded at full size.

    Raises:
        ImageError: the file cannot be read, or is not a complete image.
    """
    return decode_image(
        read_image_bytes(path), subject=os.fspath(path), reduction_rule=reduction_rule
    )


def read_image_size(path: AnyPath) -> tuple[int, int]:
    """Return the (width, height) that `read_image` gives without a rule.

    Raises:
        ImageError: it cannot be read, or announces nothing that may be decoded.
    """
    return image_size(read_image_bytes(path), subject=os.fspath(path))


def image_size(data: bytes, *, subject: str) -> tuple[int, int]:
    """Return the (width, height) that `decode_image` gives without a rule.

    Raises:
        ImageError: the bytes announce nothing that may be decoded.
    """
    return _upright_size(_checked_header(data, subject))


def read_image_bytes(path: AnyPath) -> bytes:
    """Read a whole file that is going to be decoded.

    Raises:
        ImageError: it is absent, not a regular file, forbidden or too large.
    """
    path = file_path(path, error=ImageError, expected="the path of an image file")
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(
                path,
                got="is a folder",
                expected="an image file",
                next_step=f"name its pictures, such as {os.path.join(path, '*.jpg')}",
            )
        # A pipe or a device might never end.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(path, got="is not a regular file", expected="an image file")
        if status.st_size > MAX_FILE_BYTES:
            raise ImageError(
                path,
                got=f"holds {status.st_size / 1e6:,.0f} MB",
                expected=f"at most {MAX_FILE_BYTES / 1e6:,.0f} MB",
                next_step=_REPLACE,
            )
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ImageError(path, got="does not exist", next_step="check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ImageError(
            path, got=f"cannot be read ({reason})", next_step="check its permissions"
        ) from error


def encode_png(pixels: Pixels) -> bytes:
    """Encode (H, W, 3) uint8 RGB losslessly as PNG."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(
            f"pixels are {pixels.shape} {pixels.dtype}, expected (H, W, 3) uint8 to encode"
        )
    done, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"OpenCV could not encode {pixels.shape} pixels as PNG")
    return encoded.tobytes()


def _checked_header(data: bytes, subject: str) -> ImageHeader:
    """Read the header and refuse what should never reach a decoder."""
    if not data:
        raise ImageError(subject, got="is empty", expected="an image", next_step=_REPLACE)
    if image_format(data) is None:
        foreign = foreign_format(data)
        raise ImageError(
            subject,
            got="is not an image" if foreign is None else f"is a {foreign} file",
            expected="JPEG, PNG, WebP, BMP, GIF or TIFF",
            next_step=_REPLACE if foreign is None else "save it as JPEG",
        )
    try:
        header = read_header(data)
    except HeaderError as error:
        raise ImageError(subject, got=str(error), next_step=_REPLACE) from error
    width, height = header.size
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(
            subject,
            got=f"is {width} x {height} pixels large",
            expected=f"1 to {MAX_PIXELS:,} pixels",
            next_step=_REPLACE,
        )
    return header


def _check_memory(header: ImageHeader, file_bytes: int, reduction: int, subject: str) -> None:
    needed, allowed = header.memory(reduction), memory_limit(file_bytes)
    if needed > allowed:
        raise ImageError(
            subject,
            got=f"has {file_bytes:,} bytes and would take {needed / 1e6:,.0f} MB to decode, "
            f"{header.size[0]} x {header.size[1]} pixels",
            expected=f"at most {allowed / 1e6:,.0f} MB",
            next_step="save it smaller, or as JPEG",
        )


def _upright_size(header: ImageHeader) -> tuple[int, int]:
    return header.size[::-1] if header.orientation in TURNED else header.size


def _to_rgb(decoded: NDArray[Any], header: ImageHeader) -> Pixels:
    """Turn OpenCV's grey, BGR or BGRA of 8 or 16 bits into RGB, on white where it is transparent.

    A picture may take all the memory that there is: so RGB replaces what it is made from,
    some rows at a time.
    """
    height, width = decoded.shape[:2]
    decoded = decoded.reshape(height, width, -1)
    channels = decoded.shape[2]
    if channels < 3:
        pixels = np.empty((height, width, 3), np.uint8)
    else:
        if not (decoded.flags.c_contiguous and decoded.flags.writeable):
            decoded = decoded.copy()
        # What a row becomes is never longer than the row.
        place = decoded.reshape(-1).view(np.uint8)[: height * width * 3]
        pixels = place.reshape(height, width, 3)
    rows = max(1, _ROW_PIXELS // max(1, width))
    for first in range(0, height, rows):
        part = to_8_bits(decoded[first : first + rows])
        pixels[first : first + rows] = _rows_to_rgb(part, header)
    return pixels


def _rows_to_rgb(part: NDArray[np.uint8], header: ImageHeader) -> NDArray[np.uint8]:
    """Return rows of grey, BGR or BGRA as new memory in RGB."""
    channels = part.shape[2]
    if channels < 3:
        return np.repeat(part[:, :, :1], 3, axis=2)
    if channels == 3:
        return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2RGB), np.uint8)
    return on_white(part[:, :, 2::-1], part[:, :, 3:4], premultiplied=header.premultiplied)
