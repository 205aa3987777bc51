"""Pictures that are made of four: every pixel belongs to one part, and parts show what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.host.data.mosaic import PARTS, mosaic, whole

sides = st.integers(32, 70)


def gradients(width: int, height: int) -> NDArray[np.uint8]:
    """Return four pictures whose first channel is the column, the second the row, the third which
    of the four it is."""
    x, y = np.meshgrid(np.arange(width) * 3, np.arange(height) * 3)
    pictures = [np.stack([x, y, np.full_like(x, number * 60)], axis=-1) for number in range(PARTS)]
    return np.array(pictures, np.uint8)


@given(sides, sides, st.integers(0, 2**32 - 1))
def test_parts_cover_the_picture_and_show_each_point_where_they_say(
    width: int, height: int, seed: int
) -> None:
    images = gradients(width, height)
    made, parts = mosaic(images, np.random.default_rng(seed))
    assert made.shape == images.shape[1:]
    covered = np.zeros((height, width), int)
    for number, part in enumerate(parts):
        across, down = part.size
        covered[part.top : part.top + down, part.left : part.left + across] += 1
        shown = made[part.top : part.top + down, part.left : part.left + across]
        y, x = np.nonzero(shown[..., 2] == number * 60)
        assert len(x)
        # What the motion puts there is what is seen, but for rounding and the border's blend.
        inverse = np.linalg.inv(np.vstack([part.motion, [0, 0, 1]]))
        found = inverse @ np.stack([x, y, np.ones_like(x)])
        inside = (found[:2] >= 1).all(axis=0)
        inside &= (found[0] < width - 2) & (found[1] < height - 2)
        values = shown[y, x, :2].T / 3
        assert np.abs(values - found[:2])[:, inside].max(initial=0) < 1
    assert (covered == 1).all()


def test_one_channel_stays_one_channel_and_the_same_seed_gives_the_same_picture() -> None:
    images = gradients(48, 40)[..., :1]
    one, parts = mosaic(images, np.random.default_rng(3))
    assert one.shape == (40, 48, 1)
    other, again = mosaic(images, np.random.default_rng(3))
    np.testing.assert_array_equal(one, other)
    assert [part.size for part in parts] == [part.size for part in again]
    assert not np.array_equal(one, mosaic(images, np.random.default_rng(4))[0])


def test_a_whole_picture_is_one_part() -> None:
    part = whole((30, 20))
    assert (part.left, part.top, part.size) == (0, 0, (30, 20))
    assert part.motion @ [7, 5, 1] == pytest.approx([7, 5])
