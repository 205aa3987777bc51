"""Frames for a benchmark, as cameras give them: a size and a format."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.frame import Frame, FrameFormat
from edgeinfer.device.pictures.pixel_formats import Pixels

MAX_SIDE = 16_384
"""Longest side of a frame, pixels: beyond any camera."""

_MOST_BYTES = 32 * 2**20
"""Memory that all frames together take at most, but for the first: small boards have 512 MiB."""

_JPEG_QUALITY = 90


def check_size(size: tuple[int, int], frame_format: FrameFormat) -> None:
    """Refuse sizes that no frame of the format has.

    Args:
        size: (width, height) in pixels.
        frame_format: as the camera gives the frames.

    Raises:
        ValueError: a side is below 1 or absurd, or odd where the format stores pairs.
    """
    width, height = size
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"frame is {width}x{height}, expected sides of 1 to {MAX_SIDE}")
    if frame_format in ("yuyv", "nv12") and (width % 2 or height % 2):
        raise ValueError(f"frame is {width}x{height}, expected even sides for {frame_format}")


def make_frames(
    pictures: Sequence[Pixels], size: tuple[int, int], frame_format: FrameFormat
) -> list[Frame]:
    """Return frames made of pictures, or of seeded noise where there are none.

    Args:
        pictures: (H, W, 3) uint8 RGB of any size; they are scaled.
        size: (width, height) of the frames.
        frame_format: their format.

    Raises:
        ValueError: the size is impossible, see `check_size`.
    """
    check_size(size, frame_format)
    frames: list[Frame] = []
    taken_bytes = 0
    for picture in pictures or [_noise(size)]:
        scaled = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        pixels = encode_frame(scaled, frame_format)
        taken_bytes += pixels.nbytes
        if frames and taken_bytes > _MOST_BYTES:
            break
        frames.append(
            Frame(pixels=pixels, sequence=len(frames), captured_ns=0, format=frame_format)
        )
    return frames


def encode_frame(picture: Pixels, frame_format: FrameFormat) -> NDArray[np.uint8]:
    """Return a picture, (H, W, 3) uint8 RGB, in a frame's format; shapes as in `pixel_formats`."""
    if frame_format == "rgb":
        return picture
    if frame_format == "bgr":
        return np.ascontiguousarray(picture[..., ::-1])
    if frame_format == "grey":
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    if frame_format == "jpeg":
        done, encoded = cv2.imencode(
            ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not done:
            raise ValueError(f"OpenCV could not encode {picture.shape} pixels as JPEG")
        return np.asarray(encoded, np.uint8).reshape(-1)
    return _yuv(picture, frame_format)


def _yuv(picture: Pixels, frame_format: FrameFormat) -> NDArray[np.uint8]:
    """Return yuyv or nv12, with one colour for each 2x2 pixels in both."""
    height, width = picture.shape[:2]
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8).reshape(-1)
    luma = planes[: height * width].reshape(height, width)
    u, v = planes[height * width :].reshape(2, height // 2, width // 2)
    chroma = np.stack((u, v), axis=-1).reshape(height // 2, width)
    if frame_format == "nv12":
        return np.concatenate((luma, chroma))
    return np.stack((luma, np.repeat(chroma, 2, axis=0)), axis=-1)


def _noise(size: tuple[int, int]) -> Pixels:
    """Return seeded noise that changes slowly: a JPEG of it decodes about like a photograph."""
    small = (max(size[1] // 8, 1), max(size[0] // 8, 1), 3)
    coarse = np.random.default_rng(0).integers(0, 256, small).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)
