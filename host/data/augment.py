"""Augmentation of training images: variants that a camera could also see.

It works on the prepared uint8 images, before normalization, so an image costs one affine warp
and one table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Border: TypeAlias = Literal["mirror", "grey"]
"""What is beyond the border of a picture that was moved."""


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How much each picture may be changed; every change is drawn uniformly from its range.

    Attributes:
        flip: mirror half of the pictures left to right.
        shift: largest shift along each axis, as a share of the side, 0 to 0.5.
        zoom: the scale is between 1 - zoom and 1 + zoom, 0 to 0.9.
        rotate_deg: largest rotation to either side, 0 to 180.
        brightness: largest change as a share of the full range, 0 to 1.
        contrast: the factor is between 1 - contrast and 1 + contrast, 0 to 1.
        border: what is shown beyond the border of a picture that was moved: its `mirror` image, or
            `grey`.
    """

    flip: bool = False
    shift: float = 0.0
    zoom: float = 0.0
    rotate_deg: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    border: Border = "mirror"

    def __post_init__(self) -> None:
        """Refuse impossible ranges."""
        limits = {"shift": 0.5, "zoom": 0.9, "rotate_deg": 180, "brightness": 1, "contrast": 1}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(
                    f"augmentation {name} is {getattr(self, name)}, expected 0 to {limit}"
                )

    @classmethod
    def none(cls) -> AugmentConfig:
        """Change nothing."""
        return cls()

    @classmethod
    def photos(cls) -> AugmentConfig:
        """For photographs: hand-held cameras, changing light."""
        return cls(flip=True, shift=0.1, zoom=0.15, rotate_deg=10.0, brightness=0.12, contrast=0.2)

    @classmethod
    def small_grey(cls) -> AugmentConfig:
        """For small, centred pictures on an even ground, such as Fashion-MNIST."""
        return cls(flip=True, shift=0.07, zoom=0.08)


_BORDERS = {"mirror": cv2.BORDER_REFLECT_101, "grey": cv2.BORDER_CONSTANT}
_GREY = 127.0


def augment_batch(
    images: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return changed copies of `images`, and how each was moved.

    Args:
        images: (N, H, W, C) uint8.
        config: how much.
        rng: the random generator; the same state gives the same result.

    Returns:
        (N, H, W, C) uint8, with the border's pixels where a picture moved away from it; and
        (N, 2, 3) float64: where a point (x, y, 1) of each picture is now, in pixels.
    """
    changed = np.empty_like(images)
    motions = np.tile(np.eye(2, 3), (len(images), 1, 1))
    height, width = images.shape[1:3]
    draws = rng.uniform(-1.0, 1.0, (len(images), 7))
    for image, target, motion, draw in zip(images, changed, motions, draws, strict=True):
        table = _light(config, draw)
        matrix = _motion(config, draw, width, height)
        if matrix is not None:
            motion[:] = matrix
            image = warped(image, matrix, (width, height), config.border)
        target[:] = image if table is None else table[image]
    return changed, motions


def warped(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    border: Border,
) -> NDArray[np.uint8]:
    """Return a picture moved by a (2, 3) matrix into one of (width, height), (H, W, C) uint8."""
    depth = image.shape[2]
    moved = cv2.warpAffine(
        image,
        matrix,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=_BORDERS[border],
        borderValue=(_GREY,) * depth,
    )
    # OpenCV drops an axis of one channel.
    shown: NDArray[np.uint8] = moved.reshape(size[1], size[0], depth).astype(np.uint8, copy=False)
    return shown


def _motion(
    config: AugmentConfig, draw: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float64] | None:
    """Return the 2x3 matrix of mirror, zoom, rotation and shift about the centre, if any."""
    mirror = -1.0 if config.flip and draw[0] < 0 else 1.0
    angle = math.radians(config.rotate_deg * draw[1])
    scale = 1.0 + config.zoom * draw[2]
    if mirror > 0 and not (config.rotate_deg or config.zoom or config.shift):
        return None
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[mirror * cosine, -sine], [mirror * sine, cosine]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = config.shift * draw[3:5] * (width, height)
    return np.column_stack([linear, centre + shift - linear @ centre])


def _light(config: AugmentConfig, draw: NDArray[np.float64]) -> NDArray[np.uint8] | None:
    """Return the table of 256 entries for brightness and contrast, if any."""
    if not (config.brightness or config.contrast):
        return None
    factor, offset = 1.0 + config.contrast * draw[5], 255.0 * config.brightness * draw[6]
    values = (np.arange(256.0) - 127.5) * factor + 127.5 + offset
    table: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return table
