"""The tiles of a frame: they cover it, overlap, and are prepared as pictures of them would be."""

from __future__ import annotations

import itertools
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ImageError, UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat, to_rgb
from edgeinfer.device.pictures.region import (
    LEAST_SIDE_PX,
    MOST_TILES,
    TILE_LENGTHS,
    TILE_STEP,
    Region,
    Tiles,
    check_tiles,
    covering,
    millionths,
    read_tiles,
    region_pixels,
    tile_regions,
)
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, place
from edgeinfer.device.preprocess.jpeg_reduction import reduction_for
from edgeinfer.device.preprocess.tiles import TiledPreprocessor, tiled
from tests.device.preprocess.test_native_library import random_frame

TILES = st.tuples(st.integers(1, MOST_TILES), st.integers(1, MOST_TILES)).filter(
    lambda tiles: tiles != (1, 1)
)
REGIONS = st.sampled_from(
    [None, (0.0, 0.0, 1.0, 1.0), (1 / 3, 0.25, 0.5, 0.7), (0.123457, 0.6, 0.876543, 0.4)]
)
SPEC = PreprocessSpec(size=(24, 16))
TENSOR = TensorSpec(
    name="image", shape=(1, 16, 24, 3), dtype="uint8", scale=1 / 127.5, zero_point=128
)


def sides(size: int) -> st.SearchStrategy[int]:
    """Return lengths in pixels: many that are short, some up to `size`."""
    return st.one_of(st.integers(2, 80), st.integers(2, size))


@settings(deadline=None)
@given(size=st.tuples(sides(9000), sides(9000)), tiles=TILES, region=REGIONS)
def test_tiles_cover_every_pixel_and_overlap(
    size: tuple[int, int], tiles: Tiles, region: Region | None
) -> None:
    parts = tile_regions(tiles, region)
    assert len(parts) == tiles[0] * tiles[1]
    for part in parts:
        millionths(part)  # inside the picture
    try:
        cut = [region_pixels(part, size) for part in parts]
        left, top, width, height = region_pixels(region or (0, 0, 1, 1), size)
    except ImageError:
        # What neighbours share is not counted twice, so tiles of that size cannot fill the side.
        share = millionths(region or (0, 0, 1, 1))[2:]
        assert any(
            side * part / 1e6 * TILE_LENGTHS / (TILE_STEP * count + 1) < LEAST_SIDE_PX + 1
            for side, part, count in zip(size, share, tiles, strict=True)
        )
        return
    columns = [(x, x + wide) for x, _, wide, _ in cut[: tiles[0]]]
    rows = [(y, y + high) for _, y, _, high in cut[:: tiles[0]]]
    assert cut == [(x, y, end - x, low - y) for y, low in rows for x, end in columns]
    for spans, begin, length in ((columns, left, width), (rows, top, height)):
        assert (spans[0][0], spans[-1][1]) == (begin, begin + length)
        for (first, end), (second, further) in itertools.pairwise(spans):
            assert first < second < end < further
            assert abs((end - second) - (end - first) / 5) < 1.5
            assert abs((end - first) - (further - second)) <= 2


@given(tiles=TILES, region=REGIONS, size=st.tuples(st.integers(8, 640), st.integers(8, 640)))
def test_a_picture_whose_tiles_cover_an_input(
    tiles: Tiles, region: Region | None, size: tuple[int, int]
) -> None:
    picture = covering(size, region, tiles)
    for part in tile_regions(tiles, region):
        _, _, columns, rows = region_pixels(part, picture)
        assert (columns >= size[0], rows >= size[1]) == (True, True)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("pixel_format", get_args(PixelFormat))
def test_each_tile_is_prepared_as_a_picture_of_it(
    pixel_format: PixelFormat, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = random_frame(1, (166, 94), pixel_format)
    if not native:
        monkeypatch.setattr("edgeinfer.device.preprocess.preprocessor.load_kernels", lambda: None)
    for crop in ("stretch", "letterbox"):
        spec = PreprocessSpec(size=SPEC.size, crop=crop)
        preprocessor = TiledPreprocessor(tiled(spec, (3, 2)), TENSOR)
        tensors = preprocessor.tensor(frame, pixel_format)
        assert tensors.shape == (6, *TENSOR.shape)
        inputs = preprocessor.inputs(tensors)
        one = Preprocessor(spec, TENSOR)
        assert len(inputs) == 6
        for tensor, part in zip(inputs, tile_regions((3, 2)), strict=True):
            x, y, wide, high = region_pixels(part, (166, 94))
            cut = np.ascontiguousarray(to_rgb(frame, pixel_format)[y : y + high, x : x + wide])
            np.testing.assert_array_equal(tensor, one.tensor(cut))
        again = preprocessor.empty()
        assert preprocessor.tensor(frame, pixel_format, out=again) is again
        np.testing.assert_array_equal(again, tensors)


@given(
    tiles=TILES,
    region=REGIONS,
    frame=st.tuples(st.integers(300, 9000), st.integers(300, 9000)),
)
def test_a_jpeg_keeps_the_pixels_that_each_tile_needs(
    tiles: Tiles, region: Region | None, frame: tuple[int, int]
) -> None:
    whole = PreprocessSpec(size=(96, 64), jpeg_reduction=8, region=region)
    spec = tiled(whole, tiles)
    reduction = reduction_for(spec, frame)
    assert reduction <= reduction_for(whole, frame)
    reduced = (-(-frame[0] // reduction), -(-frame[1] // reduction))
    placed = [place(part, reduced) for part in spec.parts]
    assert reduction == 1 or all(one.width >= 96 and one.height >= 64 for one in placed)


def test_a_large_jpeg_of_few_tiles_is_decoded_smaller() -> None:
    spec = tiled(PreprocessSpec(size=(320, 320), jpeg_reduction=8), (2, 2))
    # A tile of 3840 x 2160 has 2133 x 1200 pixels.
    assert reduction_for(spec, (3840, 2160)) == 2
    assert reduction_for(spec, (640, 480)) == 1


def test_a_model_that_cuts_off_edges_has_no_tiles() -> None:
    with pytest.raises(UsageError, match=r"--tiles: .* \(center-crop\)"):
        tiled(PreprocessSpec(size=(24, 16), crop="center-crop"), (2, 2))


def test_a_frame_that_is_too_small_is_refused_by_name() -> None:
    preprocessor = TiledPreprocessor(tiled(SPEC, (2, 2)), TENSOR)
    with pytest.raises(ImageError, match=r"picture of 8x8: .* 4x4 pixels, .* or fewer --tiles"):
        preprocessor.tensor(np.zeros((8, 8, 3), np.uint8))


def test_what_a_user_writes() -> None:
    assert read_tiles("3x2") == (3, 2)
    assert read_tiles("1X8") == (1, 8)
    for text in ("", "2", "2x", "axb", "-1x2", "2x2x2", "2.0x2", "100000x1"):
        with pytest.raises(ValueError, match=r"is not columns and rows of tiles, expected such as"):
            read_tiles(text)
    for text in ("0x1", "9x9", "1x9"):
        with pytest.raises(ValueError, match="each 1 to 8"):
            read_tiles(text)
    with pytest.raises(ValueError, match="which is the whole picture"):
        check_tiles((1, 1))
