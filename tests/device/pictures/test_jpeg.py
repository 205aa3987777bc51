"""JPEG frames decoded at a part of their size."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.jpeg import decode_bgr
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from tests.device.pictures.jpeg_examples import jpeg


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_sides_are_rounded_up(reduction: JpegReduction) -> None:
    decoded = decode_bgr(jpeg(101, 67), reduction=reduction)
    assert decoded.shape == (-(-67 // reduction), -(-101 // reduction), 3)


def test_bytes_that_are_not_a_jpeg_are_refused() -> None:
    for data in (np.zeros(100, np.uint8), jpeg(640, 480)[:200], np.zeros(0, np.uint8)):
        with pytest.raises(ImageError, match="whole JPEG"):
            decode_bgr(data[:50])
