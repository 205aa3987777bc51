from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeinfer.device.cameras.files.clips.turn import Turner, reported_orientation
from edgeinfer.device.pictures.pixel_formats import upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(orientation: int) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 8, 3), np.uint8)
    turner = Turner(orientation)
    first = turner.upright(picture)
    assert np.array_equal(first, upright(picture, orientation))
    second = turner.upright(picture[::-1].copy())
    # The memory of the first is not used again while somebody holds it.
    assert np.array_equal(first, upright(picture, orientation))
    assert np.array_equal(second, upright(picture[::-1], orientation))


class Capture:
    """Reports an angle."""

    def __init__(self, angle: float) -> None:
        self.angle = angle

    def get(self, _: int) -> float:
        return self.angle


@pytest.mark.parametrize(
    ("release", "angle", "orientation"),
    [
        ("4.6.0", 90.0, 8),
        ("4.6.0", 270.0, 6),
        ("4.7.0", 90.0, 6),
        ("4.13.0", 270.0, 8),
        ("5.0.0-dev", 180.0, 3),
        ("4.12.0", 45.0, 1),
        ("4.12.0", 0.0, 1),
    ],
)
def test_the_sign_of_a_reported_angle_is_its_releases(
    release: str, angle: float, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "__version__", release)
    assert reported_orientation(Capture(angle)) == orientation  # type: ignore[arg-type]
