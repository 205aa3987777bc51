"""Pretrained networks, which know RGB, give the same answers whatever order their input has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.preprocess.spec import Channels
from edgeinfer.host.models import ARCHITECTURES, build_model
from edgeinfer.host.models.channels import THREE_OF_ONE

pytestmark = pytest.mark.slow

# The larger EfficientNet-Lites are made by the same code as the smallest, whose weights are here.
PRETRAINED = [
    name
    for name, info in ARCHITECTURES.items()
    if info.pretrained and name not in ("efficientnet-lite1", "efficientnet-lite2")
]
SIZES = ((40, 33), (32, 48))
"""(width, height), the first with an even and an odd side: these are padded differently."""
MakeReference = Callable[[str, tuple[int, int]], tuple[Any, Preprocessor, Path | None]]

LIGHT = ((0, 256), (0, 40), (200, 256), (100, 150))
"""Lowest and highest value of frames, so that their answers differ."""


def some_weights(name: str, folder: Path) -> Path | None:
    """Return random weights in a file, as ImageNet's are; None for those that are installed."""
    if name == "efficientnet-lite0":
        return None
    import keras

    from edgeinfer.host.models.applications import APPLICATIONS

    application = APPLICATIONS[name]
    keras.utils.set_random_seed(5)
    backbone = getattr(keras.applications, application.function)(
        include_top=False, weights=None, input_shape=(32, 32, 3), **dict(application.options)
    )
    path = folder / f"{name}.weights.h5"
    backbone.save_weights(path)
    return path


def network(
    name: str, size: tuple[int, int], channels: Channels, weights: Path | None
) -> tuple[Any, Preprocessor]:
    """Return a pretrained network, and what prepares frames for it."""
    mean, std = ARCHITECTURES[name].normalization_for(channels) or ((), ())
    spec = PreprocessSpec(size=size, channels=channels, mean=mean, std=std)
    model = build_model(
        name,
        input_shape=spec.shape,
        classes=5,
        channels=channels,
        initializer="pretrained",
        weights=weights,
        seed=3,
    )
    tensor = TensorSpec(name="image", shape=(1, *spec.shape), dtype="float32")
    return model, Preprocessor(spec, tensor)


def answers(
    model: Any, preprocessor: Preprocessor, frames: list[NDArray[np.uint8]]
) -> NDArray[np.float32]:
    """Return what a network gives for each frame."""
    return np.concatenate(
        [np.asarray(model(preprocessor.tensor(frame), training=False)) for frame in frames]
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> MakeReference:
    """What makes the same network for RGB, once, and tells its file of weights."""
    folder = tmp_path_factory.mktemp("weights")
    weights_of = functools.cache(lambda name: some_weights(name, folder))

    @functools.cache
    def make(name: str, size: tuple[int, int]) -> tuple[Any, Preprocessor, Path | None]:
        return *network(name, size, "rgb", weights_of(name)), weights_of(name)

    return make


def assert_same_network(
    name: str, channels: Channels, size: tuple[int, int], reference: MakeReference
) -> tuple[Any, Preprocessor]:
    """Compare a network with the same one for RGB: where the input comes in, and all weights."""
    import keras

    rgb, rgb_preprocessor, weights = reference(name, size)
    other, preprocessor = network(name, size, channels, weights)
    layers = [layer for layer in other.layers if layer.weights and layer.name != THREE_OF_ONE]
    first, *behind = [layer for layer in rgb.layers if layer.weights]
    assert [layer.name for layer in other.layers[-2:]] == ["pool", "logits"]
    for wanted, got in zip(behind, layers[1:], strict=True):
        for one, two in zip(wanted.get_weights(), got.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)
    depth = 1 if channels == "grey" else 3
    generator = np.random.default_rng(8)
    frames = [
        np.broadcast_to(generator.integers(*light, (60, 70, depth), np.uint8), (60, 70, 3))
        for light in LIGHT
    ]
    frames = [np.ascontiguousarray(frame) for frame in frames]
    before = answers(keras.Model(rgb.input, first.output), rgb_preprocessor, frames)
    got = answers(keras.Model(other.input, layers[0].output), preprocessor, frames)
    # Sums in another order differ in float32's last bits.
    np.testing.assert_allclose(got, before, rtol=0, atol=2e-6 * float(np.ptp(before)))
    return other, preprocessor


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, SIZES[0]) for name in PRETRAINED),
        # The padding is one rule for all: a network of each kind of layers shows it.
        *((name, SIZES[1]) for name in ("efficientnet-lite0", "mobilenet-v2")),
    ],
    ids=str,
)
def test_a_grey_picture_is_answered_as_its_three_equal_channels(
    name: str, size: tuple[int, int], reference: MakeReference
) -> None:
    model, preprocessor = assert_same_network(name, "grey", size, reference)
    assert model.input.shape[1:] == (size[1], size[0], 1)
    assert preprocessor.spec.channels == "grey"


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_picture_in_bgr_is_answered_as_in_rgb(name: str, reference: MakeReference) -> None:
    assert_same_network(name, "bgr", SIZES[0], reference)


@pytest.mark.parametrize("channels", ["bgr", "grey"])
def test_the_answers_of_real_weights_are_the_same(channels: Channels) -> None:
    depth = 1 if channels == "grey" else 3
    generator = np.random.default_rng(9)
    frames = [
        np.repeat(generator.integers(*light, (60, 70, depth), np.uint8), 3 // depth, axis=2)
        for light in LIGHT
    ]
    wanted = answers(*network("efficientnet-lite0", SIZES[0], "rgb", None), frames)
    got = answers(*network("efficientnet-lite0", SIZES[0], channels, None), frames)
    spread = float(np.ptp(wanted, axis=0).max())
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4 * spread)
