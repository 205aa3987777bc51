"""Where a frame is placed in the model's image, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.region import region_pixels
from edgeinfer.device.preprocess.spec import PreprocessSpec


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What region and crop policy make of frames of one size, in whole pixels.

    Attributes:
        x: first column taken from the frame.
        y: first row taken from the frame.
        width: columns taken.
        height: rows taken.
        left: column of the model's image where they begin; above 0 for a letterbox.
        top: row of the model's image where they begin.
        fill_width: columns of the model's image that they fill.
        fill_height: rows of the model's image that they fill.
    """

    x: int
    y: int
    width: int
    height: int
    left: int
    top: int
    fill_width: int
    fill_height: int

    def to_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points of the model's image back into the frame.

        Args:
            points: (..., 2) x and y in pixels of the model's image, measured from its corner: the
                centre of the first pixel is (0.5, 0.5).

        Returns:
            (..., 2) x and y in pixels of the frame. Points on a letterbox's border lie outside of
            the frame.
        """
        scale = np.array([self.width / self.fill_width, self.height / self.fill_height])
        mapped: NDArray[np.float64] = (
            np.asarray(points, np.float64) - (self.left, self.top)
        ) * scale + (self.x, self.y)
        return mapped

    def from_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points of a frame into the model's image; the way back of `to_frame`.

        Args:
            points: (..., 2) x and y in pixels of the frame, measured from its corner.

        Returns:
            (..., 2) x and y in pixels of the model's image. What the crop leaves out lies outside.
        """
        scale = np.array([self.fill_width / self.width, self.fill_height / self.height])
        mapped: NDArray[np.float64] = (
            np.asarray(points, np.float64) - (self.x, self.y)
        ) * scale + (self.left, self.top)
        return mapped


@lru_cache(maxsize=512)
def place(spec: PreprocessSpec, frame_size: tuple[int, int]) -> Placement:
    """Work out region and crop for frames of `frame_size` (width, height).

    Raises:
        ImageError: such frames are too small for the region.
    """
    x, y, (width, height) = 0, 0, frame_size
    if spec.region is not None:
        x, y, width, height = region_pixels(spec.region, frame_size)
    out_width, out_height = spec.size
    wider = width * out_height > height * out_width
    take, fill = (width, height), (out_width, out_height)
    if spec.crop == "center-crop":
        if wider:
            take = (max(1, height * out_width // out_height), height)
        else:
            take = (width, max(1, width * out_height // out_width))
    elif spec.crop == "letterbox":
        if wider:
            fill = (out_width, max(1, (2 * height * out_width + width) // (2 * width)))
        else:
            fill = (max(1, (2 * width * out_height + height) // (2 * height)), out_height)
    return Placement(
        x=x + (width - take[0]) // 2,
        y=y + (height - take[1]) // 2,
        width=take[0],
        height=take[1],
        left=(out_width - fill[0]) // 2,
        top=(out_height - fill[1]) // 2,
        fill_width=fill[0],
        fill_height=fill[1],
    )
