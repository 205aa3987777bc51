"""Zeros in weights: as many as asked for, kept in training, and used only by gzip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.pruning.sparsity import (
    compressed_bytes,
    kept_zero,
    magnitude_masks,
    n_of_m_masks,
    zero_share,
)

keras = pytest.importorskip("keras", reason="pruning needs the host extra")
from tests.converters.pruning import networks as nets  # noqa: E402

layers = keras.layers


def _model() -> Any:
    """Kernels of all kinds, one inside a nested model."""
    image = keras.Input((6, 6, 4))
    x = layers.Conv2D(8, 3, name="conv")(image)
    x = layers.DepthwiseConv2D(3, name="depth")(x)
    x = keras.Sequential([layers.Conv2D(8, 1, name="inner")], name="nested")(x)
    x = layers.Conv2DTranspose(4, 2, name="transposed")(x)
    x = layers.BatchNormalization(name="norm")(x)
    return nets.randomize(keras.Model(image, layers.Dense(2, name="dense")(layers.Flatten()(x))))


@pytest.fixture(scope="module")
def whole() -> Any:
    return _model()


def _kernels(model: Any) -> dict[str, Any]:
    named = {name: model.get_layer(name) for name in ("conv", "transposed", "dense")}
    named["inner"] = model.get_layer("nested").get_layer("inner")
    return {name: np.asarray(layer.kernel) for name, layer in named.items()}


@given(st.floats(0, 0.99))
def test_each_kernel_loses_just_that_share_of_its_smallest(whole: Any, sparsity: float) -> None:
    masks = magnitude_masks(whole, sparsity)
    assert len(masks) == 4
    for variable, mask in masks:
        assert (~mask).sum() == round(sparsity * mask.size)
        size = np.abs(np.asarray(variable))
        assert size[~mask].max(initial=0) <= size[mask].min(initial=np.inf)


def test_weights_that_are_not_kernels_stay_whole() -> None:
    model = _model()
    before = {
        variable.path: np.asarray(variable)
        for variable in model.weights
        if "depth" in variable.path or variable.name != "kernel"
    }
    assert len(before) == 10
    with kept_zero(magnitude_masks(model, 0.9)):
        pass
    for variable in model.weights:
        if variable.path in before:
            np.testing.assert_array_equal(variable, before[variable.path])
    assert zero_share(model) == pytest.approx(0.9, abs=0.01)
    for kernel in _kernels(model).values():
        assert np.mean(kernel == 0) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 4), (1, 2)])
def test_of_each_block_of_incoming_channels_n_stay(n: int, m: int) -> None:
    model = _model()
    before = _kernels(model)
    with kept_zero(n_of_m_masks(model, n, m)):
        pass
    for name, kernel in _kernels(model).items():
        incoming = -1 if name == "transposed" else -2
        blocks = np.moveaxis(kernel, incoming, -1).reshape(-1, m)
        whole = np.moveaxis(before[name], incoming, -1).reshape(-1, m)
        assert (np.count_nonzero(blocks, axis=1) == n).all(), name
        np.testing.assert_array_equal(
            np.sort(np.abs(blocks), axis=1)[:, -n:], np.sort(np.abs(whole), axis=1)[:, -n:]
        )
    assert zero_share(model) == pytest.approx(1 - n / m)


def test_a_kernel_whose_channels_make_no_whole_blocks_stays() -> None:
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, layers.Conv2D(8, 3)(image))
    ((_, mask),) = n_of_m_masks(model, 2, 4)
    assert mask.all()


def test_zeros_stay_zero_while_the_others_are_trained(tmp_path: Path) -> None:
    model = _model()
    own = keras.constraints.MaxNorm(0.5)
    kernel = model.get_layer("conv").kernel
    kernel.constraint = own
    model.compile(optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.01), loss="mse")
    inputs = np.random.default_rng(0).normal(size=(32, 6, 6, 4)).astype(np.float32)
    masks = magnitude_masks(model, 0.75)
    with kept_zero(masks):
        before = _kernels(model)
        model.fit(inputs, np.ones((32, 2), np.float32), epochs=2, verbose=0)
    for name, trained in _kernels(model).items():
        np.testing.assert_array_equal(trained[before[name] == 0], 0)
        assert (trained != before[name]).any()
    # A constraint of the layer's own holds throughout, and is there afterwards.
    assert np.linalg.norm(np.asarray(kernel).reshape(-1, 8), axis=0).max() <= 2.0
    assert [variable.constraint for variable, _ in masks] == [own, None, None, None]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert zero_share(loaded) == zero_share(model) > 0.7
    model.compile(optimizer="adam", loss="mse")
    model.fit(inputs, np.ones((32, 2), np.float32), verbose=0)
    assert zero_share(model) < 0.1


def test_an_interruption_frees_the_weights() -> None:
    model = _model()
    masks = magnitude_masks(model, 0.5)
    with pytest.raises(KeyboardInterrupt), kept_zero(masks):
        raise KeyboardInterrupt
    assert all(variable.constraint is None for variable, _ in masks)


def test_gzip_alone_sees_them() -> None:
    model = _model()

    def sizes() -> tuple[int, int]:
        content = b"".join(np.asarray(variable).tobytes() for variable in model.weights)
        return len(content), compressed_bytes(content)

    before = sizes()
    with kept_zero(magnitude_masks(model, 0.75)):
        pass
    after = sizes()
    assert after[0] == before[0]
    assert after[1] < 0.6 * before[1]


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, float("nan")])
def test_impossible_shares_are_refused(whole: Any, sparsity: float) -> None:
    with pytest.raises(ValueError, match="sparsity is"):
        magnitude_masks(whole, sparsity)


@pytest.mark.parametrize(("n", "m"), [(0, 4), (4, 4), (5, 4)])
def test_impossible_patterns_are_refused(whole: Any, n: int, m: int) -> None:
    with pytest.raises(ValueError, match="N:M is"):
        n_of_m_masks(whole, n, m)
