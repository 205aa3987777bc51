"""A frame: one picture from a source, in the memory and format in which it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels, picture_size, to_rgb

FrameFormat = Literal["rgb", "bgr", "grey", "yuyv", "nv12", "jpeg"]
"""The layout of a frame's pixels, see `Frame.format`."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture of a camera, with its number and its time. `rgb()` gives its pixels as RGB.

    Examples:
        >>> pixels = np.zeros((720, 1280, 3), np.uint8)
        >>> frame = edgeinfer.Frame(pixels=pixels, sequence=0, captured_ns=time.monotonic_ns())
        >>> frame.size
        (1280, 720)

    Attributes:
        pixels: the bytes as the camera delivered them, uint8, in the layout that `format` says.
            They do not change while your program holds the array.
        format: the layout of `pixels`: "rgb" or "bgr", (H, W, 3); "grey", (H, W); "yuyv",
            (H, W, 2); "nv12", (H * 3 / 2, W); or "jpeg", the (N,) bytes of a JPEG file.
        sequence: the number of the frame: the camera's frames are counted from 0, also those that
            are skipped.
        captured_ns: when the frame was captured, in nanoseconds of `time.monotonic_ns()`: the time
            stamp of the driver, or if there is none the time when the frame arrived.
        label: the true class of the picture, if the source knows it: the simulated camera and
            folders of classes do. Otherwise None.
        name: the file that the frame came from, for video files and folders. Otherwise None.
        position_s: when the frame is shown in its video file, in seconds from the first frame, by
            the file's own times. None for other sources.

    Raises:
        ValueError: `pixels` do not have the layout that `format` says.
    """

    pixels: NDArray[np.uint8]
    sequence: int
    captured_ns: int
    format: FrameFormat = "rgb"
    label: str | None = None
    name: str | None = None
    position_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse pixels that are not in the format."""
        if self.format == "jpeg":
            if self.pixels.dtype != np.uint8 or self.pixels.ndim != 1:
                raise ValueError(
                    f"frame {self.sequence}: pixels are {self.pixels.shape} {self.pixels.dtype}, "
                    "expected (N,) uint8 of a JPEG"
                )
        else:
            picture_size(self.pixels, self.format)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture in pixels, upright.

        Raises:
            ImageError: the frame is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return picture_size(self.pixels, self.format)
        from edgeinfer.device.pictures.headers import HeaderError, read_jpeg_header

        try:
            return read_jpeg_header(self.pixels.tobytes()).upright_size
        except HeaderError:  # its error is that of decoding
            height, width = self.rgb().shape[:2]
            return width, height

    def rgb(self) -> Pixels:
        """Return the pixels as (H, W, 3) uint8 RGB, whatever the format of the frame.

        Raises:
            ImageError: the frame is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return to_rgb(self.pixels, self.format)
        from edgeinfer.device.pictures.jpeg import decode_bgr

        return to_rgb(decode_bgr(self.pixels), "bgr")
