"""The native library against its numpy reference: all instruction sets, formats and policies."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat, picture_shape
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, place
from edgeinfer.device.preprocess.input_range import channel_count
from edgeinfer.device.preprocess.native_library import (
    Kernels,
    NativePreprocessor,
    _Spec,
    library_path,
    load_kernels,
)
from edgeinfer.device.preprocess.spec import CropPolicy, InputChannels, Layout, ResizeKernel
from edgeinfer.device.preprocess.table import identity_table, tensor_table

INSTRUCTION_SETS = ("avx2", "neon", "portable")


def _kernels() -> Kernels:
    found = load_kernels()
    if found is None:
        pytest.skip("the native library was not built here")
    return found


@pytest.fixture(params=INSTRUCTION_SETS)
def kernels(request: pytest.FixtureRequest) -> Iterator[Kernels]:
    """The library, using each of the instruction sets that this processor has."""
    found = _kernels()
    best = found.instruction_set
    try:
        found.use_instruction_set(request.param)
    except ValueError:
        pytest.skip(f"this processor or build has no {request.param}")
    yield found
    found.use_instruction_set(best)


def random_frame(seed: int, size: tuple[int, int], pixel_format: PixelFormat) -> NDArray[np.uint8]:
    """Half noise, half extreme values, where rounding and overflow would show."""
    generator = np.random.default_rng(seed)
    noise = generator.integers(0, 256, picture_shape(size, pixel_format), np.uint8)
    extreme = generator.integers(0, 2, noise.shape, np.uint8) * np.uint8(255)
    chosen: NDArray[np.uint8] = np.where(generator.random(noise.shape) < 0.5, noise, extreme)
    return chosen


def lay_out(frame: NDArray[np.uint8], layout: str) -> NDArray[np.uint8]:
    """Return the same pixels with other strides."""
    if layout == "window":
        larger = np.zeros((frame.shape[0] + 5, frame.shape[1] + 7, *frame.shape[2:]), np.uint8)
        larger[2:-3, 3:-4] = frame
        return larger[2:-3, 3:-4]
    if layout == "flipped":
        return frame[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "transposed":
        order = (1, 0, *range(2, frame.ndim))
        return frame.transpose(order).copy().transpose(order)
    return frame


def test_ci_built_the_native_library() -> None:
    if "CI" not in os.environ:
        pytest.skip("only CI insists on the native library")
    assert library_path() is not None


def test_the_environment_turns_the_library_off() -> None:
    code = (
        "from edgeinfer.device.preprocess.native_library import load_kernels; print(load_kernels())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "EDGEINFER_NATIVE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "None"


def test_the_best_instruction_set_is_chosen() -> None:
    kernels = _kernels()
    available = []
    best = kernels.instruction_set
    for name in INSTRUCTION_SETS:
        try:
            kernels.use_instruction_set(name)
        except ValueError:
            continue
        available.append(name)
    kernels.use_instruction_set(best)
    assert best == available[0]
    with pytest.raises(ValueError, match="'sse9' is not available"):
        kernels.use_instruction_set("sse9")


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    source=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    pixel_format=st.sampled_from(get_args(PixelFormat)),
    crop=st.sampled_from(get_args(CropPolicy)),
    resize=st.sampled_from(get_args(ResizeKernel)),
    channels=st.sampled_from(get_args(InputChannels)),
    layout=st.sampled_from(["plain", "window", "flipped", "transposed"]),
)
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
def test_images_equal_numpys(
    instruction_set: str,
    seed: int,
    source: tuple[int, int],
    size: tuple[int, int],
    pixel_format: PixelFormat,
    crop: CropPolicy,
    resize: ResizeKernel,
    channels: InputChannels,
    layout: str,
) -> None:
    kernels = _kernels()
    best = kernels.instruction_set
    try:
        kernels.use_instruction_set(instruction_set)
    except ValueError:
        pytest.skip(f"this processor or build has no {instruction_set}")
    if pixel_format in ("yuyv", "nv12"):
        source = (source[0] * 2, source[1] * 2)
    depth = channel_count(channels)
    spec = PreprocessSpec(
        size=size,
        crop=crop,
        resize=resize,
        channels=channels,
        mean=(0.0,) * depth,
        std=(1.0,) * depth,
        pad_value=77,
    )
    frame = lay_out(random_frame(seed, source, pixel_format), layout)
    expected = Preprocessor(spec, native=False).tensor(frame, pixel_format)
    try:
        native = Preprocessor(spec, native=True)
    finally:
        kernels.use_instruction_set(best)
    np.testing.assert_array_equal(native.tensor(frame, pixel_format), expected)


@pytest.mark.parametrize("pixel_format", get_args(PixelFormat))
@pytest.mark.parametrize("crop", get_args(CropPolicy))
def test_camera_frames_equal_numpys(
    kernels: Kernels, crop: CropPolicy, pixel_format: PixelFormat
) -> None:
    spec = PreprocessSpec(size=(224, 192), crop=crop, pad_value=114)
    frame = random_frame(5, (640, 480), pixel_format)
    expected = Preprocessor(spec, native=False).tensor(frame, pixel_format)
    native = Preprocessor(spec, native=True)
    np.testing.assert_array_equal(native.tensor(frame, pixel_format), expected)


DTYPES: list[tuple[TensorDtype, float, int]] = [
    ("uint8", 1 / 128, 128),
    ("int8", 0.0187, -14),
    ("int8", 1 / 128, 0),
    ("int16", 1e-4, 0),
    ("float16", 0.0, 0),
    ("float32", 0.0, 0),
]


@pytest.mark.parametrize(
    ("channels", "layout"),
    [
        *((name, "hwc") for name in get_args(InputChannels)),
        ("bgr", "chw"),
        ("grey", "chw"),
        ("rgba", "chw"),
    ],
)
@pytest.mark.parametrize(("dtype", "scale", "zero_point"), DTYPES)
def test_every_dtype_equals_numpys(
    kernels: Kernels,
    channels: InputChannels,
    layout: Layout,
    dtype: TensorDtype,
    scale: float,
    zero_point: int,
) -> None:
    depth = channel_count(channels)
    spec = PreprocessSpec(
        size=(33, 21),
        channels=channels,
        crop="letterbox",
        mean=(127.5, 120.0, 100.0, 50.0)[:depth],
        std=(127.5, 60.0, 58.0, 205.0)[:depth],
        pad_value=9,
        layout=layout,
    )
    tensor = TensorSpec(
        name="image", shape=spec.tensor_shape, dtype=dtype, scale=scale, zero_point=zero_point
    )
    frame = random_frame(3, (64, 48), "bgr")
    expected = Preprocessor(spec, tensor, native=False).tensor(frame, "bgr")
    got = Preprocessor(spec, tensor, native=True).tensor(frame, "bgr")
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    source=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    crop=st.sampled_from(get_args(CropPolicy)),
    channels=st.sampled_from(get_args(InputChannels)),
    dtype=st.sampled_from(["uint8", "int8", "float32"]),
    pixel_format=st.sampled_from(["bgr", "grey"]),
    layout=st.sampled_from(get_args(Layout)),
    batch=st.booleans(),
)
def test_every_layout_holds_the_same_numbers(
    seed: int,
    source: tuple[int, int],
    size: tuple[int, int],
    crop: CropPolicy,
    channels: InputChannels,
    dtype: TensorDtype,
    pixel_format: PixelFormat,
    layout: Layout,
    batch: bool,
) -> None:
    _kernels()
    if layout == "hw":
        channels = "grey"
    depth = channel_count(channels)
    spec = PreprocessSpec(
        size=size,
        crop=crop,
        channels=channels,
        mean=(0.0, 10.0, 20.0, 30.0)[:depth],
        std=(1.0, 1.5, 2.0, 2.5)[:depth],
        pad_value=77,
    )
    frame = random_frame(seed, source, pixel_format)
    kind: dict[str, Any] = {"name": "image", "dtype": dtype, "scale": float(dtype != "float32")}
    expected = Preprocessor(spec, TensorSpec(shape=spec.tensor_shape, **kind), native=False).tensor(
        frame, pixel_format
    )[0]
    if layout != "hwc":
        expected = expected.transpose(2, 0, 1) if layout == "chw" else expected[..., 0]
    spec = replace(spec, layout=layout)
    shape = spec.tensor_shape if batch else spec.tensor_shape[1:]
    tensor = TensorSpec(shape=shape, **kind)
    for native in (True, False):
        got = Preprocessor(spec, tensor, native=native).tensor(frame, pixel_format)
        assert got.shape == shape
        np.testing.assert_array_equal(got[0] if batch else got, expected)


def test_images_have_their_channels_last_in_every_layout() -> None:
    frame = random_frame(1, (30, 20), "rgb")
    for native in (True, False):
        if native:
            _kernels()
        spec = PreprocessSpec(size=(9, 7), layout="chw")
        image = Preprocessor(spec, native=native).image(frame)
        assert image.shape == spec.shape == (7, 9, 3)
        same = Preprocessor(replace(spec, layout="hwc"), native=native).image(frame)
        np.testing.assert_array_equal(image, same)


def test_one_preprocessor_follows_changing_frames(kernels: Kernels) -> None:
    spec = PreprocessSpec(size=(40, 30), crop="center-crop")
    native, reference = Preprocessor(spec, native=True), Preprocessor(spec, native=False)
    formats: list[PixelFormat] = ["rgb", "yuyv", "grey", "rgb", "nv12", "bgr"]
    for index, pixel_format in enumerate(formats):
        frame = random_frame(index, (60 + 20 * index, 100 - 10 * index), pixel_format)
        np.testing.assert_array_equal(
            native.tensor(frame, pixel_format), reference.tensor(frame, pixel_format)
        )


def test_an_array_that_does_not_fit_is_refused() -> None:
    spec = PreprocessSpec(size=(8, 8))
    native = NativePreprocessor(_kernels(), spec, identity_table(spec))
    frame = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="expected \\(1, 8, 8, 3\\) uint8"):
        native.run(frame, "rgb", np.zeros((1, 8, 8, 3), np.int8))
    with pytest.raises(ValueError, match="contiguous"):
        native.run(frame, "rgb", np.zeros((1, 8, 16, 3), np.uint8)[:, :, ::2])


@settings(max_examples=60, deadline=None)
@given(
    mean=st.floats(-300, 300),
    std=st.floats(0.01, 300),
    scale=st.floats(1e-6, 10),
    zero_point=st.integers(-128, 127),
    dtype=st.sampled_from(["uint8", "int8", "int16", "float32"]),
)
def test_the_librarys_own_tables_equal_numpys(
    mean: float, std: float, scale: float, zero_point: int, dtype: TensorDtype
) -> None:
    spec = PreprocessSpec(size=(4, 4), channels="grey", mean=(mean,), std=(std,))
    tensor = TensorSpec(
        name="image", shape=(1, 4, 4, 1), dtype=dtype, scale=scale, zero_point=zero_point
    )
    expected = tensor_table(spec, tensor)
    got = np.empty_like(expected)
    library = ctypes.CDLL(str(_kernels().path))
    status = library.edgeinfer_make_table(
        ctypes.c_int32(1),
        ctypes.byref(ctypes.c_double(mean)),
        ctypes.byref(ctypes.c_double(std)),
        ctypes.c_int(["uint8", "int8", "int16", "float32"].index(dtype)),
        ctypes.c_double(scale),
        ctypes.c_int32(zero_point),
        ctypes.c_void_p(got.ctypes.data),
    )
    assert status == 0
    np.testing.assert_array_equal(got, expected)


@settings(max_examples=60, deadline=None)
@given(
    frame=st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    crop=st.sampled_from(get_args(CropPolicy)),
)
def test_the_librarys_mapping_equals_the_placement(
    frame: tuple[int, int], size: tuple[int, int], crop: CropPolicy
) -> None:
    library: Any = ctypes.CDLL(str(_kernels().path))
    mapping = (ctypes.c_double * 6)()
    spec = _Spec(*size, 0, get_args(CropPolicy).index(crop), 0, 0, 0)
    assert library.edgeinfer_map(ctypes.byref(spec), *frame, ctypes.byref(mapping)) == 0
    placed = place(PreprocessSpec(size=size, crop=crop), frame)
    expected = (placed.x, placed.y, placed.left, placed.top)
    assert tuple(mapping[:4]) == expected
    assert mapping[4] == placed.fill_width / placed.width
    assert mapping[5] == placed.fill_height / placed.height


def test_threads_may_share_a_preprocessor() -> None:
    _kernels()
    spec = PreprocessSpec(size=(96, 64))
    shared = Preprocessor(spec, native=True)
    sizes = [(640, 480), (320, 240), (500, 333), (64, 48)]
    frames = [random_frame(index, size, "rgb") for index, size in enumerate(sizes)]
    expected = [Preprocessor(spec, native=False).tensor(frame) for frame in frames]

    def prepare(index: int) -> bool:
        return bool((shared.tensor(frames[index % 4]) == expected[index % 4]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(prepare, range(400)))
