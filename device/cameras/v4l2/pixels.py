"""From the bytes of a V4L2 buffer to a frame's pixels; None for what is not a whole picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.v4l2.layout import (
    GREY16_BITS,
    TWO_PLANES,
    Part,
    fits,
    picture_parts,
    plain_name,
    used_size,
)
from edgeinfer.device.pictures.frame import FrameFormat
from edgeinfer.device.pictures.pixel_formats import picture_shape

Bytes = NDArray[np.uint8]

FORMATS: dict[str, FrameFormat] = {
    "YUYV": "yuyv",
    "UYVY": "yuyv",
    **dict.fromkeys(("NV12", "NV21", "YU12", "YV12", "NM12", "NM21", "YM12", "YM21"), "nv12"),
    "RGB3": "rgb",
    "BGR3": "bgr",
    "GREY": "grey",
    **dict.fromkeys(GREY16_BITS, "grey"),
    "MJPG": "jpeg",
    "JPEG": "jpeg",
}
"""What becomes of each of V4L2's formats; those that preprocessing knows stay as they are."""


def unpack(
    planes: Sequence[Bytes],
    fourcc: str,
    size: tuple[int, int],
    row_bytes: Sequence[int],
    take: Callable[[tuple[int, ...]], Bytes],
    table: Bytes | None = None,
) -> Bytes | None:
    """Copy a raw picture out of the driver's memory.

    Args:
        planes: (N,) uint8 of each memory, as the driver filled it.
        fourcc: V4L2's name of its format.
        size: (width, height); of an odd width or height `used_size` is copied.
        row_bytes: from one row to the next, in each memory.
        take: gives an array of a shape to fill.
        table: the grey of each raw value, for formats of more than 8 bits.

    Returns:
        The picture as `pixel_formats.picture_shape` says; None if bytes are missing.
    """
    parts = picture_parts(fourcc, size, row_bytes)
    if not fits(parts, [plane.size for plane in planes]):
        return None
    raw, used = FORMATS[fourcc], used_size(fourcc, size)
    assert raw != "jpeg"
    picture = take(picture_shape(used, raw))
    if fourcc in GREY16_BITS:
        assert table is not None
        np.take(table, _wide(planes[0], fourcc, parts[0]), out=picture, mode="clip")
        return picture
    views: list[Bytes] = [
        np.ndarray(
            (part.rows, part.row), np.uint8, planes[part.memory], part.offset, (part.stride, 1)
        )
        for part in parts
    ]
    if raw == "nv12":
        _copy_planes(views, plain_name(fourcc), picture, used)
    elif fourcc == "UYVY":
        np.copyto(picture, views[0].reshape(picture.shape)[..., ::-1])
    else:
        np.copyto(picture.reshape(views[0].shape), views[0])
    return picture


def value_range(
    planes: Sequence[Bytes], fourcc: str, size: tuple[int, int], row_bytes: Sequence[int]
) -> tuple[int, int] | None:
    """Return the smallest and the largest raw value of a picture in one of `GREY16_BITS`.

    Args are those of `unpack`; None if bytes are missing.
    """
    parts = picture_parts(fourcc, size, row_bytes)
    if not fits(parts, [plane.size for plane in planes]):
        return None
    values = _wide(planes[0], fourcc, parts[0])
    return int(values.min()), int(values.max())


def _wide(plane: Bytes, fourcc: str, part: Part) -> NDArray[np.uint16]:
    """Return a view of a picture's raw values, (H, W) uint16."""
    order = ">u2" if fourcc.endswith("-BE") else "<u2"
    shape = (part.rows, part.row // 2)
    return np.ndarray(shape, np.dtype(order), plane, part.offset, (part.stride, 2))


def _copy_planes(
    views: Sequence[Bytes], fourcc: str, picture: Bytes, size: tuple[int, int]
) -> None:
    """Copy Y, and U and V in turn, from planes of any order."""
    width, height = size
    np.copyto(picture[:height], views[0])
    chroma = picture[height:].reshape(height // 2, width // 2, 2)
    if fourcc in TWO_PLANES:
        pairs = views[1].reshape(chroma.shape)
        np.copyto(chroma, pairs if fourcc == "NV12" else pairs[..., ::-1])
        return
    first = 0 if fourcc == "YU12" else 1
    for index, plane in enumerate(views[1:]):
        np.copyto(chroma[..., index ^ first], plane)
