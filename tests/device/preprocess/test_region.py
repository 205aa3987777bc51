"""A region of the frame: the same bits from every kernel, and the way back to the whole frame."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.pixel_formats import JpegReduction, PixelFormat, to_rgb
from edgeinfer.device.pictures.region import Region, region_pixels
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, place
from edgeinfer.device.preprocess.jpeg_reduction import decode_for, reduction_for
from edgeinfer.device.preprocess.native_library import NativePreprocessor
from edgeinfer.device.preprocess.spec import CropPolicy, InputChannels, ResizeKernel
from edgeinfer.device.preprocess.table import identity_table
from tests.device.pictures.jpeg_examples import jpeg
from tests.device.preprocess.test_native_library import (
    INSTRUCTION_SETS,
    _kernels,
    lay_out,
    random_frame,
)

PARTS = st.tuples(*(st.integers(0, 10**6) for _ in range(4)))
SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))


def region_within(parts: tuple[int, int, int, int], size: tuple[int, int]) -> Region:
    """Return a region that is large enough in a frame of this size of at least 16 pixels a side."""
    place = []
    for begin, length, side in ((parts[0], parts[2], size[0]), (parts[1], parts[3], size[1])):
        least = min(10**6, -(-9 * 10**6 // side))
        taken = least + length * (10**6 - least) // 10**6
        place.append((begin * (10**6 - taken) // 10**6 / 10**6, taken / 10**6))
    (x, width), (y, height) = place
    return x, y, width, height


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    source=st.tuples(st.integers(16, 90), st.integers(16, 90)),
    parts=PARTS,
    size=SIZES,
    pixel_format=st.sampled_from(get_args(PixelFormat)),
    crop=st.sampled_from(get_args(CropPolicy)),
    resize=st.sampled_from(get_args(ResizeKernel)),
    channels=st.sampled_from(get_args(InputChannels)),
    layout=st.sampled_from(["plain", "window"]),
)
def test_every_kernel_makes_of_a_region_what_it_makes_of_a_picture_of_it(
    seed: int,
    source: tuple[int, int],
    parts: tuple[int, int, int, int],
    size: tuple[int, int],
    pixel_format: PixelFormat,
    crop: CropPolicy,
    resize: ResizeKernel,
    channels: InputChannels,
    layout: str,
) -> None:
    if pixel_format in ("yuyv", "nv12"):
        source = (source[0] * 2, source[1] * 2)
    depth = {"grey": 1, "rgba": 4}.get(channels, 3)
    region = region_within(parts, source)
    spec = PreprocessSpec(
        size=size,
        crop=crop,
        resize=resize,
        channels=channels,
        mean=(0.0,) * depth,
        std=(1.0,) * depth,
        pad_value=77,
        region=region,
    )
    frame = lay_out(random_frame(seed, source, pixel_format), layout)
    x, y, width, height = region_pixels(region, source)
    cut = np.ascontiguousarray(to_rgb(frame, pixel_format)[y : y + height, x : x + width])
    expected = Preprocessor(replace(spec, region=None), native=False).image(cut)
    np.testing.assert_array_equal(
        Preprocessor(spec, native=False).tensor(frame, pixel_format)[0], expected
    )
    kernels = _kernels()
    best = kernels.instruction_set
    for name in INSTRUCTION_SETS:
        try:
            kernels.use_instruction_set(name)
        except ValueError:
            continue  # this processor or build lacks it
        try:
            native = Preprocessor(spec, native=True)
        finally:
            kernels.use_instruction_set(best)
        np.testing.assert_array_equal(native.tensor(frame, pixel_format)[0], expected)


@settings(max_examples=60, deadline=None)
@given(
    frame=st.tuples(st.integers(16, 2**15), st.integers(16, 2**15)),
    parts=PARTS,
    size=SIZES,
    crop=st.sampled_from(get_args(CropPolicy)),
)
def test_the_librarys_mapping_is_that_of_the_whole_frame(
    frame: tuple[int, int],
    parts: tuple[int, int, int, int],
    size: tuple[int, int],
    crop: CropPolicy,
) -> None:
    kernels = _kernels()
    spec = PreprocessSpec(size=size, crop=crop, region=region_within(parts, frame))
    request = NativePreprocessor(kernels, spec, identity_table(spec))._request
    library: Any = ctypes.CDLL(str(kernels.path))
    mapping = (ctypes.c_double * 6)()
    assert library.edgeinfer_map(ctypes.byref(request), *frame, ctypes.byref(mapping)) == 0
    placed = place(spec, frame)
    assert tuple(mapping[:4]) == (placed.x, placed.y, placed.left, placed.top)
    assert mapping[4] == placed.fill_width / placed.width
    assert mapping[5] == placed.fill_height / placed.height
    x, y, width, height = region_pixels(spec.region or (0, 0, 1, 1), frame)
    corners = np.array([[placed.left, placed.top], [placed.left + placed.fill_width, 0]], float)
    corners[1, 1] = placed.top + placed.fill_height
    (left, top), (right, bottom) = placed.to_frame(corners)
    assert x <= left < right <= x + width + 1e-9
    assert y <= top < bottom <= y + height + 1e-9


def test_a_spot_is_found_again_where_it_was_in_the_frame() -> None:
    spec = PreprocessSpec(size=(64, 64), crop="letterbox", region=(0.5, 0.25, 0.4, 0.5))
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[116:124, 206:214] = 255  # its centre is at (210, 120)
    image = Preprocessor(spec).image(frame)[..., 0].astype(float)
    ys, xs = np.mgrid[0:64, 0:64] + 0.5
    centre = np.array([(image * xs).sum(), (image * ys).sum()]) / image.sum()
    placed = place(spec, (320, 240))
    assert np.abs(placed.to_frame(centre) - (210, 120)).max() < 0.5
    np.testing.assert_allclose(placed.from_frame(placed.to_frame(centre)), centre)


@pytest.mark.parametrize("native", [False, True])
def test_a_frame_that_is_too_small_is_refused_by_name(native: bool) -> None:
    if native:
        _kernels()
    preprocessor = Preprocessor(
        PreprocessSpec(size=(8, 8), region=(0.25, 0.25, 0.1, 0.5)), native=native
    )
    preprocessor.tensor(np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(ImageError, match=r"64x64: its region 0\.25,0\.25,0\.1,0\.5 is 6x32"):
        preprocessor.tensor(np.zeros((64, 64, 3), np.uint8))


def test_the_library_refuses_what_no_region_is_and_frames_that_are_too_small() -> None:
    kernels = _kernels()
    spec = PreprocessSpec(size=(8, 8), region=(0.25, 0.25, 0.1, 0.5))
    native = NativePreprocessor(kernels, spec, identity_table(spec))
    out = np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="refused a frame"):
        native.run(np.zeros((64, 64, 3), np.uint8), "rgb", out)
    native.run(np.full((80, 80, 3), 9, np.uint8), "rgb", out)
    assert (out == 9).all()
    library: Any = ctypes.CDLL(str(kernels.path))
    request, mapping = native._request, (ctypes.c_double * 6)()
    assert library.edgeinfer_map(ctypes.byref(request), 64, 64, ctypes.byref(mapping)) == 1
    for wrong in ((0, 0, 10**6, 0), (500_000, 0, 500_001, 1), (-1, 0, 10**6, 10**6)):
        request.region_x, request.region_y, request.region_width, request.region_height = wrong
        assert library.edgeinfer_map(ctypes.byref(request), 640, 480, ctypes.byref(mapping)) == 1


@pytest.mark.parametrize(
    ("region", "frame", "expected"),
    [
        (None, (1280, 960), 4),
        ((0.0, 0.0, 0.5, 0.5), (1280, 960), 2),
        ((0.0, 0.0, 0.2, 0.2), (1280, 960), 1),
        ((0.0, 0.0, 0.5, 1.0), (1280, 960), 2),  # its width decides
        ((0.9, 0.9, 0.01, 0.01), (1280, 960), 1),  # at an eighth it is nothing at all
        ((0.25, 0.25, 0.75, 0.75), (4800, 3600), 8),
    ],
)
def test_a_reduced_jpegs_region_still_covers_the_model(
    region: Region | None, frame: tuple[int, int], expected: int
) -> None:
    spec = PreprocessSpec(size=(224, 224), jpeg_reduction=8, region=region)
    assert reduction_for(spec, frame) == expected


@settings(max_examples=30, deadline=None)
@given(
    frame=st.tuples(st.integers(64, 300), st.integers(64, 300)),
    parts=PARTS,
    allowed=st.sampled_from(get_args(JpegReduction)),
)
def test_a_reduced_jpegs_region_is_that_of_the_decoded_picture(
    frame: tuple[int, int], parts: tuple[int, int, int, int], allowed: JpegReduction
) -> None:
    region = region_within(parts, (frame[0] // 2, frame[1] // 2))
    spec = PreprocessSpec(size=(10, 9), jpeg_reduction=allowed, region=region)
    decoded = decode_for(spec, jpeg(*frame))
    reduction = reduction_for(spec, frame)
    assert decoded.shape[:2] == (-(-frame[1] // reduction), -(-frame[0] // reduction))
    x, y, width, height = region_pixels(region, (decoded.shape[1], decoded.shape[0]))
    if reduction > 1:
        assert width >= 10
        assert height >= 9
    cut = np.ascontiguousarray(decoded[y : y + height, x : x + width])
    whole = replace(spec, region=None)
    expected = Preprocessor(whole, native=False).tensor(cut, "bgr")
    for native in (False, True):
        if native:
            _kernels()
        got = Preprocessor(spec, native=native).tensor(decoded, "bgr")
        np.testing.assert_array_equal(got, expected)


def test_regions_are_equal_however_they_are_written() -> None:
    thirds = PreprocessSpec(size=(8, 8), region=(1 / 3, 0, 2 / 3, 1))
    assert thirds == PreprocessSpec(size=(8, 8), region=(0.333333, 0, 0.666667, 1))
    assert PreprocessSpec(size=(8, 8), region=(0, 0, 1, 1)) == PreprocessSpec(size=(8, 8))
    with pytest.raises(ValueError, match="outside the picture"):
        PreprocessSpec(size=(8, 8), region=(0.5, 0.5, 0.6, 0.1))
