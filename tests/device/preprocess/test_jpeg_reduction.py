"""JPEG frames decoded no larger than the model needs."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.preprocess.jpeg_reduction import decode_for, reduction_for
from edgeinfer.device.preprocess.spec import CropPolicy
from tests.device.pictures.jpeg_examples import jpeg


@pytest.mark.parametrize(
    ("allowed", "crop", "frame", "expected"),
    [
        (1, "stretch", (1280, 720), 1),
        (8, "stretch", (1280, 720), 2),  # a quarter would be 180 rows for 224
        (8, "stretch", (4000, 3000), 8),
        (4, "stretch", (4000, 3000), 4),
        (8, "letterbox", (1280, 720), 4),  # it fills 224 x 126
        (8, "center-crop", (1280, 720), 2),
        (8, "stretch", (200, 200), 1),
        (2, "stretch", (447, 447), 2),  # libjpeg rounds up: 224
        (2, "stretch", (446, 446), 1),
    ],
)
def test_the_largest_reduction_that_covers_the_model(
    allowed: JpegReduction, crop: CropPolicy, frame: tuple[int, int], expected: int
) -> None:
    spec = PreprocessSpec(size=(224, 224), crop=crop, jpeg_reduction=allowed)
    assert reduction_for(spec, frame) == expected


def test_a_reduced_picture_is_the_same_scene() -> None:
    spec = PreprocessSpec(size=(64, 64), jpeg_reduction=4)
    decoded = decode_for(spec, jpeg(640, 480))
    assert decoded.shape == (120, 160, 3)
    ramp = np.linspace(0, 255, 640).reshape(160, 4).mean(axis=1)
    assert np.abs(decoded[..., 0].mean(axis=0) - ramp).max() < 4


def test_bytes_that_are_not_a_jpeg_are_refused() -> None:
    spec = PreprocessSpec(size=(64, 64), jpeg_reduction=4)
    for data in (np.zeros(100, np.uint8), jpeg(640, 480)[:200], np.zeros(0, np.uint8)):
        with pytest.raises(ImageError, match="whole JPEG"):
            decode_for(spec, data)
