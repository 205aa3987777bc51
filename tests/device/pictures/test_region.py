"""A part of a picture in ratios: which pixels it is, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.region import (
    LEAST_SIDE_PX,
    WHOLE,
    Region,
    covering,
    exact,
    is_too_small,
    millionths,
    of_picture,
    read_region,
    region_pixels,
    region_text,
)

SIDES = st.integers(1, 5000)
PARTS = st.tuples(*(st.integers(0, 10**6) for _ in range(4)))


def region_of(parts: tuple[int, int, int, int]) -> Region:
    """Return a region inside the picture of four numbers up to a million."""
    left, right = sorted(parts[:2])
    top, bottom = sorted(parts[2:])
    assume(left < right and top < bottom)
    return left / 10**6, top / 10**6, (right - left) / 10**6, (bottom - top) / 10**6


@given(parts=PARTS, size=st.tuples(SIDES, SIDES))
def test_edges_are_rounded_half_up_as_fractions_are(
    parts: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    region = region_of(parts)
    left, right = sorted(parts[:2])
    top, bottom = sorted(parts[2:])
    assert millionths(region) == (left, top, right - left, bottom - top)

    def edge(part: int, side: int) -> int:
        return math.floor(Fraction(part * side, 10**6) + Fraction(1, 2))

    columns = edge(right, size[0]) - edge(left, size[0])
    rows = edge(bottom, size[1]) - edge(top, size[1])
    if min(columns, rows) < LEAST_SIDE_PX:
        with pytest.raises(ImageError, match=f"is {columns}x{rows} pixels, expected at least 8"):
            region_pixels(region, size)
    else:
        assert region_pixels(region, size) == (
            edge(left, size[0]),
            edge(top, size[1]),
            columns,
            rows,
        )


@given(side=st.integers(24, 5000), cut=st.integers(400_000, 600_000))
def test_parts_that_share_an_edge_share_no_pixel(side: int, cut: int) -> None:
    left = region_pixels((0, 0, cut / 10**6, 1), (side, 20))
    right = region_pixels((cut / 10**6, 0, (10**6 - cut) / 10**6, 1), (side, 20))
    assert left[0] + left[2] == right[0]
    assert right[0] + right[2] == side


@given(parts=PARTS, size=st.tuples(st.integers(8, 1024), st.integers(8, 1024)))
def test_a_picture_that_covers_an_input_does(
    parts: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    region = region_of(parts)
    _, _, columns, rows = region_pixels(region, covering(size, region))
    assert columns >= size[0]
    assert rows >= size[1]


def test_without_a_region_a_picture_of_the_inputs_size_covers_it() -> None:
    assert covering((224, 192), None) == covering((224, 192), WHOLE) == (224, 192)
    assert covering((224, 192), (0, 0, 1, 0.5)) == (224, 386)


@given(parts=PARTS)
def test_the_text_reads_back(parts: tuple[int, int, int, int]) -> None:
    region = region_of(parts)
    assert read_region(region_text(region)) == region


def test_thirds_reach_the_end() -> None:
    assert exact((1 / 3, 0, 2 / 3, 1)) == (0.333333, 0.0, 0.666667, 1.0)
    x, _, width, _ = millionths((0.6666667, 0.5, 0.3333335, 0.5))
    assert x + width == 10**6
    assert exact(WHOLE) is None


@pytest.mark.parametrize(
    ("region", "message"),
    [
        ((0.5, 0, 0.6, 1), "outside the picture, expected x \\+ width"),
        ((0, 0.5, 1, 0.51), "outside the picture"),
        ((-0.1, 0, 0.5, 0.5), "each from 0 to 1"),
        ((0, 0, 640, 480), "each from 0 to 1"),
        ((0, 0, float("nan"), 1), "each from 0 to 1"),
        ((0, 0, 0, 1), "above 0"),
        ((0, 0, 1, 1e-9), "above 0"),
        ((0, 0, 1), "x,y,width,height"),
    ],
)
def test_a_region_outside_the_picture_is_refused(region: Region, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        millionths(region)


@pytest.mark.parametrize("text", ["", "0,0,1", "a,b,c,d", "0,0,1,1,1", "0;0;1;1", "10%,0,1,1"])
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a region, expected x,y,width,height such as"):
        read_region(text)


def test_the_error_names_the_picture_where_it_has_a_name() -> None:
    with pytest.raises(ImageError) as caught:
        region_pixels((0.5, 0.5, 0.01, 0.5), (320, 240))
    assert is_too_small(caught.value)
    assert str(of_picture(caught.value, "photos/a.jpg")) == (
        "photos/a.jpg: its region 0.5,0.5,0.01,0.5 is 3x120 pixels of 320x240, expected at least 8 "
        "a side; choose a larger --region or fewer --tiles, or take larger pictures"
    )
