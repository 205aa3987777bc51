"""Crop policies: where a frame is put in the model's image, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, place
from edgeinfer.device.preprocess.spec import CropPolicy

CROPS = st.sampled_from(["stretch", "center-crop", "letterbox"])


@given(
    frame=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    crop=CROPS,
)
@settings(max_examples=100, deadline=None)
def test_placements_stay_inside_frame_and_image(
    frame: tuple[int, int], size: tuple[int, int], crop: CropPolicy
) -> None:
    placed = place(PreprocessSpec(size=size, crop=crop), frame)
    assert 0 <= placed.x < placed.x + placed.width <= frame[0]
    assert 0 <= placed.y < placed.y + placed.height <= frame[1]
    assert 0 <= placed.left < placed.left + placed.fill_width <= size[0]
    assert 0 <= placed.top < placed.top + placed.fill_height <= size[1]
    corners = np.array(
        [
            [placed.left, placed.top],
            [placed.left + placed.fill_width, placed.top + placed.fill_height],
        ],
        float,
    )
    expected = [
        [placed.x, placed.y],
        [placed.x + placed.width, placed.y + placed.height],
    ]
    np.testing.assert_allclose(placed.to_frame(corners), expected)


@pytest.mark.parametrize("crop", ["stretch", "center-crop", "letterbox"])
def test_a_spot_is_found_again_where_it_was(crop: CropPolicy) -> None:
    spec = PreprocessSpec(size=(64, 64), crop=crop)
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[116:124, 176:184] = 255  # its centre is at (180, 120)
    image = Preprocessor(spec).image(frame)[..., 0].astype(float)
    ys, xs = np.mgrid[0:64, 0:64] + 0.5
    centre = np.array([(image * xs).sum(), (image * ys).sum()]) / image.sum()
    found = place(spec, (320, 240)).to_frame(centre)
    assert np.abs(found - (180, 120)).max() < 1
