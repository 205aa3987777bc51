from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.host.data.augment import AugmentConfig, augment_batch


def _images(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def _augment(images: NDArray[np.uint8], config: AugmentConfig, seed: int = 0) -> NDArray[np.uint8]:
    return augment_batch(images, config, np.random.default_rng(seed))[0]


@settings(deadline=None)
@given(
    shape=st.tuples(
        st.integers(0, 4), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])
    ),
    config=st.builds(
        AugmentConfig,
        flip=st.booleans(),
        shift=st.floats(0, 0.5),
        zoom=st.floats(0, 0.9),
        rotate_deg=st.floats(0, 180),
        brightness=st.floats(0, 1),
        contrast=st.floats(0, 1),
    ),
    seed=st.integers(0, 2**32),
)
def test_shape_dtype_and_determinism(
    shape: tuple[int, int, int, int], config: AugmentConfig, seed: int
) -> None:
    images = _images(*shape)
    before = images.copy()
    changed = _augment(images, config, seed)
    assert changed.shape == shape
    assert changed.dtype == np.uint8
    assert (changed == _augment(images, config, seed)).all()
    assert (images == before).all()


def test_none_changes_nothing() -> None:
    images = _images(3, 8, 8, 3)
    changed = _augment(images, AugmentConfig.none())
    assert (changed == images).all()
    assert changed is not images


@pytest.mark.parametrize("config", [AugmentConfig.photos(), AugmentConfig.small_grey()])
def test_the_presets_change_every_picture_and_depend_on_the_seed(config: AugmentConfig) -> None:
    images = _images(6, 28, 28, 1)
    changed = _augment(images, config)
    assert all((a != b).any() for a, b in zip(images, changed, strict=True))
    assert (changed != _augment(images, config, seed=1)).any()


def test_flip_mirrors_about_half_of_the_pictures_exactly() -> None:
    images = _images(400, 5, 6, 3)
    changed = _augment(images, AugmentConfig(flip=True))
    mirrored = (changed == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (changed == images).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    # Of 400 fair draws, fewer than 140 or more than 260 come once in a billion.
    assert 140 < mirrored.sum() < 260


def test_motion_stays_within_its_limits() -> None:
    images = np.zeros((60, 41, 41, 1), np.uint8)
    images[:, 20, 20] = 255
    moved = _augment(images, AugmentConfig(shift=0.2))
    for image in moved:
        weights = image[..., 0].astype(float)
        row, column = (np.indices(weights.shape) * weights).sum(axis=(1, 2)) / weights.sum()
        # 0.2 of 41 pixels, and the interpolation's 1/32 of a pixel.
        assert abs(row - 20) < 8.3
        assert abs(column - 20) < 8.3
    turned = _augment(images, AugmentConfig(rotate_deg=180, zoom=0.3))
    assert (turned[:, 20, 20] > 200).all()


def test_light() -> None:
    images = _images(50, 6, 6, 3)
    for image, changed in zip(images, _augment(images, AugmentConfig(brightness=0.1)), strict=True):
        difference = changed.astype(int) - image
        inside = (changed > 0) & (changed < 255)
        assert len(np.unique(difference[inside])) == 1
        assert np.abs(difference).max() <= 26
    grey = np.full((20, 4, 4, 1), 127, np.uint8)
    contrast = _augment(grey, AugmentConfig(contrast=0.5))
    # Contrast turns about the middle of the range, so middle grey stays.
    assert np.abs(contrast.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("wrong", [{"shift": 0.6}, {"zoom": -0.1}, {"contrast": float("nan")}])
def test_impossible_ranges(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AugmentConfig(**wrong)  # type: ignore[arg-type]


def test_the_motion_is_where_a_bright_spot_goes() -> None:
    config = AugmentConfig(flip=True, shift=0.1, zoom=0.15, rotate_deg=15)
    images = np.zeros((20, 60, 80, 1), np.uint8)
    images[:, 18:23, 28:33] = 255
    changed, motions = augment_batch(images, config, np.random.default_rng(1))
    rows, columns = np.mgrid[:60, :80]
    for image, motion in zip(changed[..., 0] / 255.0, motions, strict=True):
        centre = [(image * places).sum() / image.sum() for places in (columns, rows)]
        np.testing.assert_allclose(motion @ (30, 20, 1), centre, atol=0.3)
    unmoved, still = augment_batch(images, AugmentConfig(brightness=0.1), np.random.default_rng(1))
    np.testing.assert_array_equal(still, np.tile(np.eye(2, 3), (20, 1, 1)))
    assert unmoved.shape == images.shape
