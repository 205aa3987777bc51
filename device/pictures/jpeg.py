"""JPEG pictures from cameras: decoded no larger than the model needs them.

A JPEG stores 8x8 blocks by their cosine transform; decoding only the lowest 4x4, 2x2 or 1x1 of each
block gives the picture at 1/2, 1/4 or 1/8 of its size for less work, and antialiased.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.headers import (
    MAX_PIXELS,
    HeaderError,
    memory_limit,
    read_jpeg_header,
)
from edgeinfer.device.pictures.pixel_formats import JpegReduction, ReductionRule, upright

JPEG_FLAGS: dict[int, int] = {
    1: cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
    2: cv2.IMREAD_REDUCED_COLOR_2 | cv2.IMREAD_IGNORE_ORIENTATION,
    4: cv2.IMREAD_REDUCED_COLOR_4 | cv2.IMREAD_IGNORE_ORIENTATION,
    8: cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION,
}
"""OpenCV's flags for each reduction, without rotation: that is done afterwards."""


def decode_bgr(
    data: NDArray[np.uint8], *, reduction: JpegReduction = 1, subject: str = "frame"
) -> NDArray[np.uint8]:
    """Decode a JPEG at a part of its size: (N,) bytes to (H, W, 3) uint8 BGR, upright as its Exif
    says.

    Raises:
        ImageError: it is damaged, not a JPEG, or absurdly large.
    """
    return decode_reduced(data, lambda _: reduction, subject=subject)


def decode_reduced(
    data: NDArray[np.uint8], choose: ReductionRule, *, subject: str = "frame"
) -> NDArray[np.uint8]:
    """Decode a JPEG at the part of its size that is chosen by it, as `decode_bgr` does."""
    content = data.tobytes()
    # Cameras leave out a JPEG's end, and it can be decoded all the same.
    try:
        header = read_jpeg_header(content)
    except HeaderError as error:
        raise ImageError(
            subject, got=f"cannot be decoded: it {error}", expected="a whole JPEG"
        ) from error
    width, height = header.size
    reduction = choose(header.upright_size)
    if width * height > MAX_PIXELS or header.memory(reduction) > memory_limit(len(content)):
        raise ImageError(
            subject, got=f"is {width} x {height} pixels large", expected="a size that fits the file"
        )
    try:
        decoded = cv2.imdecode(data, JPEG_FLAGS[reduction])
    except cv2.error:
        decoded = None
    if decoded is None:  # type: ignore[unreachable, unused-ignore]
        raise ImageError(subject, got="cannot be decoded", expected="a whole JPEG")
    return np.ascontiguousarray(upright(np.asarray(decoded, np.uint8), header.orientation))
