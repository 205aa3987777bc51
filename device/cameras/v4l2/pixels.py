"""From the bytes of a V4L2 buffer to a frame's pixels; None for what is not a whole picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.frame import FrameFormat
from edgeinfer.device.pictures.pixel_formats import picture_shape

Bytes = NDArray[np.uint8]

FORMATS: dict[str, FrameFormat] = {
    "YUYV": "yuyv",
    "UYVY": "yuyv",
    "NV12": "nv12",
    "NV21": "nv12",
    "YU12": "nv12",
    "YV12": "nv12",
    "RGB3": "rgb",
    "BGR3": "bgr",
    "GREY": "grey",
    "MJPG": "jpeg",
    "JPEG": "jpeg",
}
"""What becomes of each of V4L2's formats; those that preprocessing knows stay as they are."""

_ROW_BYTES = {"YUYV": 2, "UYVY": 2, "RGB3": 3, "BGR3": 3}
"""Bytes of a pixel in a row; of formats with planes, those of the first one: 1."""


def picture_bytes(fourcc: str, size: tuple[int, int], row_bytes: int) -> int:
    """Return how many bytes a whole raw picture has.

    Args:
        fourcc: V4L2's name of its format.
        size: (width, height).
        row_bytes: from one row to the next.
    """
    height = size[1]
    rows = height * 3 // 2 if FORMATS[fourcc] == "nv12" else height
    return rows * row_bytes


def full_row(fourcc: str, width: int) -> int:
    """Return the bytes of a row without padding at its end."""
    return _ROW_BYTES.get(fourcc, 1) * width


def unpack(
    data: Bytes,
    fourcc: str,
    size: tuple[int, int],
    row_bytes: int,
    take: Callable[[tuple[int, ...]], Bytes],
) -> Bytes | None:
    """Copy a raw picture out of the driver's memory.

    Args:
        data: (N,) uint8, as the driver filled it.
        fourcc: V4L2's name of its format.
        size: (width, height).
        row_bytes: from one row to the next, in the first plane.
        take: gives an array of a shape to fill.

    Returns:
        The picture as `pixel_formats.picture_shape` says; None if bytes are missing.
    """
    if data.size < picture_bytes(fourcc, size, row_bytes):
        return None
    width, height = size
    raw = FORMATS[fourcc]
    assert raw != "jpeg"
    picture = take(picture_shape(size, raw))
    if fourcc in ("YU12", "YV12"):
        _interleave(data, size, row_bytes, picture, u_first=fourcc == "YU12")
        return picture
    row = full_row(fourcc, width)
    rows = picture.shape[0]
    source = data[: rows * row_bytes].reshape(rows, row_bytes)[:, :row]
    if fourcc == "UYVY":
        np.copyto(picture, source.reshape(height, width, 2)[..., ::-1])
    elif fourcc == "NV21":
        np.copyto(picture[:height], source[:height])
        chroma = source[height:].reshape(height // 2, width // 2, 2)
        np.copyto(picture[height:].reshape(height // 2, width // 2, 2), chroma[..., ::-1])
    else:
        np.copyto(picture.reshape(rows, row), source)
    return picture


def _interleave(
    data: Bytes, size: tuple[int, int], row_bytes: int, picture: Bytes, *, u_first: bool
) -> None:
    """Turn three planes into two: Y, and U and V in turn."""
    width, height = size
    luma = data[: height * row_bytes].reshape(height, row_bytes)
    np.copyto(picture[:height], luma[:, :width])
    plane = (height // 2) * (row_bytes // 2)
    for index in range(2):
        start = height * row_bytes + index * plane
        chroma = data[start : start + plane].reshape(height // 2, row_bytes // 2)
        column = index if u_first else 1 - index
        np.copyto(picture[height:, column::2], chroma[:, : width // 2])
