"""A JPEG whose pixels are known."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def jpeg(width: int, height: int) -> NDArray[np.uint8]:
    """Return a grey ramp from black on the left to white on the right, as a JPEG's bytes."""
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    picture = np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2)
    return np.asarray(cv2.imencode(".jpg", picture)[1], np.uint8).reshape(-1)
