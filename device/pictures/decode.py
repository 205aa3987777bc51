"""Image files in, (H, W, 3) uint8 RGB out, the same on every machine and OpenCV from 4.6 on.

Rules, where formats leave a choice:

- Rotation as Exif states it, in JPEG, PNG, WebP and TIFF.
- Transparent pixels become white.
- 16 bits become 8 by v / 257, rounded: 0 stays 0 and 65535 becomes 255. Cameras that put 12 bits
  into 16 give dark pictures; their files are not guessed at.
- Grey is repeated in three channels; palettes, CMYK and YCCK become RGB without colour profiles.
- Of an animation or a document the first picture counts.
- GIF, HEIC, AVIF and rare kinds of TIFF need the packages of the extra `pictures`, so that each
  OpenCV, whatever it was built with, reads the same files in the same way.

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
from edgeinfer.device.core.installation.advice import add_extra
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.device.pictures.bitmap import decode_bitmap
from edgeinfer.device.pictures.headers import (
    MAX_PIXELS,
    HeaderError,
    ImageHeader,
    MissingDecoderError,
    foreign_format,
    image_format,
    memory_limit,
    read_header,
)
from edgeinfer.device.pictures.jpeg import JPEG_FLAGS
from edgeinfer.device.pictures.pixel_formats import (
    JpegReduction,
    Pixels,
    ReductionRule,
    upright,
)
from edgeinfer.device.pictures.quiet_opencv import quiet_opencv
from edgeinfer.device.pictures.to_rgb import to_rgb

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
EXTRA = "extra"
"""Ends the code of the error for a picture that needs an extra."""

_SAVE = "save it as JPEG or PNG, or remove it"


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
    # JPEG has no alpha; everything else is taken as stored, to see alpha and 16 bits.
    flags = cv2.IMREAD_UNCHANGED
    reduction: JpegReduction = 1
    if header.format == "JPEG":
        if reduction_rule is not None:
            reduction = reduction_rule(header.upright_size)
        flags = JPEG_FLAGS[reduction]
    _check_memory(header, len(data), reduction, subject)
    decoded = _decoded(header, flags, subject)
    if decoded.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            subject,
            got=f"has {decoded.dtype} pixels",
            expected="8 or 16 bits a channel",
            next_step=_SAVE,
        )
    said = tuple(-(-side // reduction) for side in header.decoded_size)
    if decoded.shape[1::-1] != said:
        raise ImageError(
            subject,
            got=f"says it is {said[0]} x {said[1]} pixels large and is "
            f"{decoded.shape[1]} x {decoded.shape[0]}",
            next_step=_REPLACE,
        )
    pixels = to_rgb(decoded, header)
    return np.ascontiguousarray(upright(pixels, header.orientation))


def read_image(path: AnyPath, reduction_rule: ReductionRule | None = None) -> Pixels:
    """Read an image file and return its pixels as (H, W, 3) uint8 RGB.

    An Exif rotation is applied, and transparent parts become white.

    Examples:
        >>> pixels = edgeinfer.read_image("picture.jpg")
        >>> pixels.shape
        (720, 1280, 3)

    Args:
        path: path of the image file: JPEG, PNG, WebP, BMP or TIFF; GIF, HEIC or AVIF with the
            extra `pictures`.
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
    return _checked_header(data, subject).upright_size


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
            got=f"is {foreign or 'not an image'}",
            expected="JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC or AVIF",
            next_step=_REPLACE if foreign is None else "save it as JPEG or PNG",
        )
    try:
        header = read_header(data)
    except HeaderError as error:
        raise _refused(error, subject) from error
    width, height = header.size
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(
            subject,
            got=f"is {width} x {height} pixels large",
            expected=f"1 to {MAX_PIXELS:,} pixels",
            next_step=_REPLACE,
        )
    return header


def _decoded(header: ImageHeader, flags: int, subject: str) -> NDArray[Any]:
    """Return what the decoder of a file gives: grey, BGR or BGRA, of any dtype."""
    try:
        if header.decoder == "bitmap":
            return decode_bitmap(header)
        if header.decoder != "opencv":
            from edgeinfer.device.pictures.pillow import decode_heic, decode_with_pillow

            return (decode_heic if header.decoder == "heif" else decode_with_pillow)(header)
    except HeaderError as error:
        raise _refused(error, subject) from error
    quiet_opencv()
    try:
        decoded = cv2.imdecode(np.frombuffer(header.payload, np.uint8), flags)
    except cv2.error:
        decoded = None
    # The stubs of OpenCV leave out that imdecode gives None for what it cannot read.
    if decoded is None:  # type: ignore[unreachable, unused-ignore]
        raise ImageError(
            subject,
            got=f"cannot be decoded: the {header.format} is damaged or of a rare kind",
            next_step=_SAVE,
        )
    return decoded


def _refused(error: HeaderError, subject: str) -> ImageError:
    """Return the error for a file that no decoder sees, or that one refuses."""
    if isinstance(error, MissingDecoderError):
        advice = add_extra("pictures")
        return ImageError(
            subject, got=str(error), next_step=f"save it as JPEG, or {advice}", detail=EXTRA
        )
    rare = "rare" in str(error) or "camera raw" in str(error) or "bands" in str(error)
    return ImageError(subject, got=str(error), next_step=_SAVE if rare else _REPLACE)


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
