"""Which axis of an input is what, by its shape."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.preprocess.input_range import channel_count
from edgeinfer.device.preprocess.layout import LayoutError, read_form
from edgeinfer.device.preprocess.spec import Layout


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        ((1, 224, 192, 3), ("hwc", (192, 224), 3)),
        ((1, 96, 96, 1), ("hwc", (96, 96), 1)),
        ((1, 3, 224, 192), ("chw", (192, 224), 3)),
        ((1, 1, 96, 80), ("chw", (80, 96), 1)),
        ((1, 96, 80, 4), ("hwc", (80, 96), 4)),
        ((1, 4, 96, 80), ("chw", (80, 96), 4)),
        ((1, 28, 20), ("hw", (20, 28), 1)),
        ((28, 20), ("hw", (20, 28), 1)),
        ((64, 48, 3), ("hwc", (48, 64), 3)),
        ((3, 64, 48), ("chw", (48, 64), 3)),
        # One row of grey pixels.
        ((1, 1, 10, 1), ("hwc", (10, 1), 1)),
    ],
)
def test_the_axis_of_channels_is_found(shape: tuple[int, ...], form: Any) -> None:
    read = read_form(shape)
    assert (read.layout, read.size, read.depth) == form


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 224, 3), "channels may be 3 or 3, expected one axis"),
        ((1, 3, 224, 1), "channels may be 3 or 1"),
        ((1, 96, 96, 2), r"\(1, 96, 96, 2\), expected \(1, height, width, 1 or 3\)"),
        ((8, 96, 96, 3), "8 pictures at a time"),
        ((1, 1000), r"\(1, 1000\), expected"),
        ((1, 128, 6), "expected"),
        ((), "expected"),
        ((1, 5, 64, 64, 3), "expected"),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        read_form(shape)


@given(
    layout=st.sampled_from(get_args(Layout)),
    channels=st.sampled_from(["rgb", "grey", "rgba"]),
    size=st.tuples(st.integers(8, 500), st.integers(8, 500)),
    batch=st.booleans(),
)
def test_a_specs_own_shape_reads_back(
    layout: Layout, channels: Any, size: tuple[int, int], batch: bool
) -> None:
    if layout == "hw":
        channels = "grey"
    depth = channel_count(channels)
    spec = PreprocessSpec(
        size=size, channels=channels, layout=layout, mean=(0.0,) * depth, std=(1.0,) * depth
    )
    shape = spec.tensor_shape if batch else spec.tensor_shape[1:]
    assert spec.fits(shape)
    form = read_form(shape)
    assert (form.size, form.depth) == (size, depth)
    # Grey in planes without a first axis is grey without an axis of channels: the same memory.
    same = layout == "chw" and depth == 1 and not batch
    assert form.layout == ("hw" if same else layout)
