"""Preprocessor: crop policies, channel order, normalization and quantization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.preprocess import (
    Preprocessor,
    PreprocessSpec,
    normalize_table,
    tensor_table,
)
from edgeinfer.device.preprocess.native_library import load_kernels
from edgeinfer.device.preprocess.spec import CropPolicy, InputChannels


def tensor(
    spec: PreprocessSpec, dtype: TensorDtype, scale: float = 0.0, zero: int = 0
) -> TensorSpec:
    return TensorSpec(
        name="image", shape=(1, *spec.shape), dtype=dtype, scale=scale, zero_point=zero
    )


@pytest.mark.parametrize("crop", ["stretch", "center-crop", "letterbox"])
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (10, 200), (1, 1), (30, 20)])
def test_every_crop_gives_the_models_size(crop: CropPolicy, size: tuple[int, int]) -> None:
    spec = PreprocessSpec(size=(30, 20), crop=crop)
    frame = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert Preprocessor(spec).image(frame).shape == (20, 30, 3)


def test_center_crop_takes_the_middle() -> None:
    frame = np.zeros((20, 40, 3), np.uint8)
    frame[:, 10:30] = 200
    spec = PreprocessSpec(size=(20, 20), crop="center-crop")
    assert (Preprocessor(spec).image(frame) == 200).all()


def test_letterbox_keeps_the_ratio_and_pads() -> None:
    frame = np.full((20, 40, 3), 200, np.uint8)
    spec = PreprocessSpec(size=(20, 20), crop="letterbox", pad_value=7)
    image = Preprocessor(spec).image(frame)
    assert (image[5:15] == 200).all()
    assert (image[:5] == 7).all()
    assert (image[15:] == 7).all()


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("rgb", [10, 20, 30]),
        ("bgr", [30, 20, 10]),
        ("grey", [18]),
        ("rgba", [10, 20, 30, 255]),
    ],
)
def test_channel_orders(channels: InputChannels, expected: list[int]) -> None:
    depth = len(expected)
    spec = PreprocessSpec(size=(4, 4), channels=channels, mean=(0.0,) * depth, std=(1.0,) * depth)
    frame = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    # (77 * 10 + 150 * 20 + 29 * 30 + 128) >> 8 = 18
    assert Preprocessor(spec).image(frame)[0, 0].tolist() == expected


def test_grey_weights_sum_to_one() -> None:
    spec = PreprocessSpec(size=(2, 2), channels="grey", mean=(0.0,), std=(1.0,))
    for value in (0, 1, 128, 255):
        assert (Preprocessor(spec).image(np.full((2, 2, 3), value, np.uint8)) == value).all()


@given(
    mean=st.floats(-300, 300),
    std=st.floats(0.01, 300),
    scale=st.floats(1e-4, 1),
    zero=st.integers(-128, 127),
)
def test_quantization_is_nearest_and_clipped(
    mean: float, std: float, scale: float, zero: int
) -> None:
    spec = PreprocessSpec(size=(2, 2), channels="grey", mean=(mean,), std=(std,))
    table = tensor_table(spec, tensor(spec, "int8", scale, zero))[0].astype(int)
    exact = (np.arange(256) - mean) / std / scale + zero
    assert (np.diff(table) >= 0).all()
    assert (np.abs(table - np.clip(exact, -128, 127)) <= 0.5 + 1e-6).all()


def test_the_usual_int8_input_is_the_pixel_minus_128() -> None:
    spec = PreprocessSpec(size=(2, 2), mean=(128.0,) * 3, std=(128.0,) * 3)
    table = tensor_table(spec, tensor(spec, "int8", 1 / 128, 0))
    assert (table[0] == np.arange(256) - 128).all()


def test_float_tensors_are_the_normalize_table() -> None:
    spec = PreprocessSpec(size=(5, 4), mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))
    frame = np.random.default_rng(3).integers(0, 256, (4, 5, 3), np.uint8)
    prepared = Preprocessor(spec, tensor(spec, "float32")).tensor(frame)
    assert prepared.dtype == np.float32
    assert prepared.shape == (1, 4, 5, 3)
    reference = normalize_table(spec)[np.arange(3), frame][None]
    np.testing.assert_array_equal(prepared, reference)


def test_a_given_array_is_filled_and_returned() -> None:
    spec = PreprocessSpec(size=(8, 6))
    preprocessor = Preprocessor(spec, tensor(spec, "int8", 1 / 128, 0))
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    out = preprocessor.empty()
    assert preprocessor.tensor(frame, out=out) is out
    np.testing.assert_array_equal(out, preprocessor.tensor(frame))


def test_images_come_only_without_a_tensor_spec() -> None:
    spec = PreprocessSpec(size=(8, 6))
    with pytest.raises(ValueError, match="not images"):
        Preprocessor(spec, tensor(spec, "uint8", 1 / 128, 128)).image(np.zeros((6, 8, 3), np.uint8))


@pytest.mark.parametrize("native", [True, False])
def test_a_frame_in_another_format_is_refused(native: bool) -> None:
    if native and load_kernels() is None:
        pytest.skip("the native library was not built here")
    preprocessor = Preprocessor(PreprocessSpec(size=(8, 6)), native=native)
    with pytest.raises(ValueError, match="expected a picture in yuyv"):
        preprocessor.tensor(np.zeros((6, 9, 2), np.uint8), "yuyv")


def test_integers_without_a_scale_hold_the_real_values() -> None:
    spec = PreprocessSpec(size=(2, 2), channels="grey", mean=(128.0,), std=(1.0,))
    table = tensor_table(spec, tensor(spec, "int8"))[0]
    assert table.tolist() == list(range(-128, 128))


def test_a_tensor_of_another_shape_or_dtype_is_refused() -> None:
    spec = PreprocessSpec(size=(8, 8))
    with pytest.raises(ValueError, match="shape"):
        Preprocessor(spec, TensorSpec(name="x", shape=(1, 9, 8, 3), dtype="float32"))
    with pytest.raises(ValueError, match="dtype is int32"):
        Preprocessor(spec, tensor(spec, "int32", 1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 5)},
        {"size": (5, 5000)},
        {"mean": (1.0,)},
        {"std": (1.0, 0.0, 1.0)},
        {"std": (1.0, float("nan"), 1.0)},
        {"crop": "squeeze"},
        {"channels": "cmyk"},
        {"resize": "lanczos"},
        {"pad_value": 256},
        {"jpeg_reduction": 3},
    ],
)
def test_impossible_specs_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        PreprocessSpec(**{"size": (8, 8), **wrong})  # type: ignore[arg-type]
