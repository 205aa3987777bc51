"""The pixels of which the files are made."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 51, 38


def _scene() -> NDArray[np.uint8]:
    """Smooth, so that JPEG keeps it, and without symmetries, so that no rotation looks the same."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(picture)


SCENE = _scene()
"""(38, 51, 3) uint8 RGB."""


def grey_levels(bits: int) -> NDArray[np.uint16]:
    """Return (38, 51, 1) grey of 2**bits levels: every 16-bit value's low byte differs."""
    grey = SCENE[..., :1].astype(np.uint16)
    return wide(grey) if bits == 16 else grey >> np.uint16(8 - bits)


def wide(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return 16 bits whose low bytes are not the high ones."""
    return samples * np.uint16(256) + (samples[::-1] ^ np.uint16(0x5A))


def exif_block(orientation: int, order: str = "<") -> bytes:
    """Return a TIFF of one tag, the rotation."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
