"""A frame: one picture from a source, in the memory and format in which it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.pixel_formats import Pixels, picture_size, to_rgb

FrameFormat = Literal["rgb", "bgr", "grey", "yuyv", "nv12", "jpeg"]
"""How a frame's bytes are to be read: a PixelFormat, or a whole JPEG file as (N,) bytes."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture from a source.

    Examples:
        >>> frame = edgeinfer.Frame(pixels=pixels, sequence=0, captured_ns=time.monotonic_ns())
        >>> frame.size
        (1280, 720)

    Attributes:
        pixels: as the source gives them: see `format`. They do not change while anything holds
            them, or a view into them; a source uses their memory again afterwards.
        format: how they are laid out, see `pixel_formats`; by default (H, W, 3) uint8 RGB.
        sequence: counts the frames that the source delivered, dropped ones included, from 0.
        captured_ns: when it was captured, on `time.monotonic_ns()`'s clock: the driver's own time
            stamp where there is one, else when the source handed the frame over.
        label: the true class, where the source knows it (simulated camera, class folders).
        name: the file it came from, for sources of files.
    """

    pixels: NDArray[np.uint8]
    sequence: int
    captured_ns: int
    format: FrameFormat = "rgb"
    label: str | None = None
    name: str | None = None

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
        """(width, height) of the picture; of a JPEG its header is read.

        Raises:
            ImageError: it is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return picture_size(self.pixels, self.format)
        from edgeinfer.device.pictures.headers import HeaderError, read_header

        try:
            return read_header(self.pixels.tobytes()).size
        except HeaderError:  # OpenCV decodes some that are not whole
            height, width = self.rgb().shape[:2]
            return width, height

    def rgb(self) -> Pixels:
        """Return the picture as (H, W, 3) uint8 RGB.

        Raises:
            ImageError: it is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return to_rgb(self.pixels, self.format)
        from edgeinfer.device.pictures.jpeg import decode_bgr

        return to_rgb(decode_bgr(self.pixels), "bgr")
