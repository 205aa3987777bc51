"""What is kept of each picture to find its copies: a perceptual hash and local features.

The hash is the sign of 63 low frequencies of the grey picture's cosine transform: it survives
scaling, compression and brightness. Mirroring changes the sign of the odd horizontal frequencies,
so the mirrored picture's hash needs no second transform. Cropping moves everything, so corners and
their surroundings are kept, too (ORB: Rublee et al. 2011), on a copy with a fixed longer side.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.pictures.decode import decode_image, image_size, read_image_bytes
from edgeinfer.device.pictures.pixel_formats import JpegReduction, Pixels

SIDE = 160
"""The longer side of the grey copy that sketches and comparisons are made of, pixels."""

CORNERS = 40
"""The most corners of a picture."""

HASH_BITS = 63

_GRID = 32
_FREQUENCIES = 8

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What is kept of one picture; about 1.6 kB.

    Attributes:
        signs: (63,) int8, 1 or -1: the signs of low frequencies.
        corners: (n, 32) uint8: the descriptors of n <= 40 corners, 256 bits each.
        places: (n, 2) float16: their x and y in the grey copy, pixels.
    """

    signs: NDArray[np.int8]
    corners: Bytes
    places: NDArray[np.float16]


def small_grey(pixels: Pixels) -> Bytes:
    """Return a grey copy, (h, w) uint8, whose longer side is `SIDE`."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(grey, size, interpolation=how).astype(np.uint8, copy=False)


def reduced(size: tuple[int, int]) -> JpegReduction:
    """Return at which part of its size a JPEG may be decoded for `small_grey`.

    Args:
        size: its (width, height).
    """
    longer = max(size)
    for part in (8, 4, 2):
        if longer >= 2 * SIDE * part:
            return part
    return 1


def read_small(path: str) -> tuple[Pixels, tuple[int, int]]:
    """Read a picture, a large JPEG at a part of its size.

    Returns:
        Its pixels, (H, W, 3) uint8 RGB, and its whole (width, height).

    Raises:
        ImageError: it cannot be read.
    """
    data = read_image_bytes(path)
    size = image_size(data, subject=path)
    return decode_image(data, subject=path, reduction_rule=reduced), size


def make_sketch(grey: Bytes) -> Sketch:
    """Return the sketch of a picture from its `small_grey`."""
    grid = cv2.resize(grey, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(grid)[:_FREQUENCIES, :_FREQUENCIES].reshape(-1)[1:]
    found, described = _orb().detectAndCompute(grey, np.full_like(grey, 255))
    # Without any corner there is no array either.
    corners = np.asarray(described, np.uint8) if found else np.zeros((0, 32), np.uint8)
    places = np.array([corner.pt for corner in found], np.float16).reshape(-1, 2)
    return Sketch(
        signs=np.where(low > 0, 1, -1).astype(np.int8),
        corners=corners[:CORNERS],
        places=places[:CORNERS],
    )


MIRROR_SIGNS: NDArray[np.int8] = np.where(
    np.arange(_FREQUENCIES**2) % _FREQUENCIES % 2 == 1, -1, 1
).astype(np.int8)[1:]
"""(63,) times the signs of a picture: the signs of its mirror image."""


@functools.cache
def _orb() -> cv2.ORB:
    return cv2.ORB_create(  # type: ignore[attr-defined, no-any-return]
        nfeatures=CORNERS, scaleFactor=1.2, nlevels=6, edgeThreshold=16, fastThreshold=8
    )
