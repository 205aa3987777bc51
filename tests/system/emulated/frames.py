"""Frames as cameras give them, of which machines and versions make the same input tensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1280, 720
SHAPES = {
    "rgb": (HEIGHT, WIDTH, 3),
    "rgb of odd size": (217, 333, 3),
    "bgr": (HEIGHT, WIDTH, 3),
    "grey": (HEIGHT, WIDTH),
    "yuyv": (HEIGHT, WIDTH, 2),
    "nv12": (HEIGHT * 3 // 2, WIDTH),
}
"""Arrays by a name that begins with the format."""


def make_frames() -> dict[str, NDArray[np.uint8]]:
    """Return frames of noise, in which every value occurs: always the same."""
    random = np.random.default_rng(0)
    return {name: random.integers(0, 256, shape, np.uint8) for name, shape in SHAPES.items()}
