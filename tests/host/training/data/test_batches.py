"""Batches: bit-equal to the device's input, in an order that the seed decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, normalize_table
from edgeinfer.device.preprocess.spec import Channels
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.data.batches import (
    Batches,
    FeatureSource,
    ImageSource,
    normalize,
)
from tests.host.training.data.problem import Memory, classes, squares

CHANNELS: tuple[Channels, ...] = ("rgb", "bgr", "grey")


@pytest.mark.parametrize("channels", CHANNELS)
def test_training_sees_the_bits_that_the_device_computes(channels: Channels) -> None:
    depth = 1 if channels == "grey" else 3
    spec = PreprocessSpec(
        size=(20, 12),
        channels=channels,
        mean=(123.675, 116.28, 103.53)[:depth],
        std=(58.395, 57.12, 57.375)[:depth],
    )
    tensor = TensorSpec(name="image", shape=(1, *spec.shape), dtype="float32")
    preprocessor, pictures = Preprocessor(spec, tensor), Preprocessor(spec)
    frames = np.random.default_rng(0).integers(0, 256, (5, 31, 47, 3), dtype=np.uint8)
    stored = Memory(np.stack([pictures.image(frame) for frame in frames]), np.zeros(5, np.int32))
    source = ImageSource(stored, normalize_table(spec))
    expected = np.concatenate([preprocessor.tensor(frame) for frame in frames])
    (inputs, _, _), *rest = Batches(source=source, lesson=classes(2), batch_size=8).epoch(0)
    assert not rest
    assert isinstance(inputs, np.ndarray)
    assert inputs.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(inputs.view(np.uint32), expected.view(np.uint32))


@given(
    depth=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
    shape=st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(1, 5)),
)
@settings(deadline=None)
def test_normalize_looks_up_each_channel(depth: int, seed: int, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (*shape, depth), dtype=np.uint8)
    table = generator.normal(size=(depth, 256)).astype(np.float32)
    expected = np.stack([table[c][images[..., c]] for c in range(depth)], axis=-1)
    np.testing.assert_array_equal(normalize(images, table), expected)


def _epoch(batches: Batches, number: int) -> tuple[Floats, NDArray[np.int64]]:
    parts = list(batches.epoch(number))
    labels = np.concatenate([targets.argmax(axis=1) for _, targets, _ in parts])
    return np.concatenate([inputs for inputs, _, _ in parts]), labels


def _indexed(count: int) -> ImageSource:
    """Return a source whose picture i has the value i and the label i % 3."""
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    labels = (np.arange(count) % 3).astype(np.int32)
    return ImageSource(Memory(pixels, labels), np.arange(256, dtype=np.float32)[None])


def test_epochs_shuffle_by_seed_and_number() -> None:
    source = _indexed(30)
    batches = Batches(source=source, lesson=classes(3), batch_size=8, seed=5)
    assert batches.steps == 3
    first, labels = _epoch(batches, 0)
    # A partial last batch is left out, nothing comes twice, and pictures keep their labels.
    assert len(set(first.ravel().tolist())) == 24
    np.testing.assert_array_equal(first.ravel() % 3, labels)
    np.testing.assert_array_equal(first, _epoch(batches, 0)[0])
    assert not np.array_equal(first, _epoch(batches, 1)[0])
    other = Batches(source=source, lesson=classes(3), batch_size=8, seed=6)
    assert not np.array_equal(first, _epoch(other, 0)[0])


def test_without_a_seed_all_samples_come_in_order() -> None:
    batches = Batches(source=_indexed(30), lesson=classes(3), batch_size=8)
    assert batches.steps == 4
    np.testing.assert_array_equal(_epoch(batches, 0)[0].ravel(), np.arange(30))


def test_fewer_samples_than_a_batch_still_train() -> None:
    batches = Batches(source=_indexed(5), lesson=classes(3), batch_size=8, seed=0)
    assert batches.steps == 1
    assert sorted(_epoch(batches, 0)[0].ravel().tolist()) == [0, 1, 2, 3, 4]


def test_only_shuffled_batches_are_augmented() -> None:
    def invert(
        images: NDArray[np.uint8], _: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        return np.bitwise_not(images), np.tile(np.eye(2, 3), (len(images), 1, 1))

    data = squares(8)
    source = ImageSource(data, np.arange(256, dtype=np.float32)[None], invert)
    plain, _ = _epoch(Batches(source=source, lesson=classes(2), batch_size=8), 0)
    changed, _ = _epoch(Batches(source=source, lesson=classes(2), batch_size=8, seed=0), 0)
    np.testing.assert_array_equal(plain, data.pixels)
    assert sorted(changed.sum(axis=(1, 2, 3))) == sorted((255.0 - plain).sum(axis=(1, 2, 3)))


def test_class_weights_balance_the_classes() -> None:
    labels = np.array([0, 0, 0, 1], np.int32)
    weights = TASK.balanced(labels, classes(3).said)
    assert weights[0] * 3 == pytest.approx(weights[3])
    source = ImageSource(Memory(np.zeros((4, 1, 1, 1), np.uint8), labels), np.zeros((1, 256), "f4"))
    batches = Batches(source=source, lesson=classes(3), batch_size=4, weights=weights)
    (_, _, got), *_ = batches.epoch(0)
    np.testing.assert_array_equal(got, weights)


class _Rows:
    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = values

    def read(self, indices: NDArray[np.int64]) -> Floats:
        return self.values[indices]


def test_features_of_a_random_variant_belong_to_the_same_sample() -> None:
    values = np.arange(20, dtype=np.float32)[:, None]
    rows = np.arange(20)
    source = FeatureSource((_Rows(values), _Rows(values + 100)), (rows, rows + 100))
    indices = np.arange(20)
    np.testing.assert_array_equal(source.read(indices, None)[0], values)
    drawn, drawn_rows = source.read(indices, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn % 100, values)
    np.testing.assert_array_equal(drawn[:, 0], drawn_rows)
    assert 0 < (drawn >= 100).sum() < 20


@pytest.mark.slow
def test_the_dataset_goes_on_through_the_epochs() -> None:
    batches = Batches(source=_indexed(12), lesson=classes(3), batch_size=4, seed=1)
    inputs = [np.asarray(item[0]) for item in batches.dataset(repeat=True).take(6)]
    expected = np.concatenate([_epoch(batches, 0)[0], _epoch(batches, 1)[0]])
    np.testing.assert_array_equal(np.concatenate(inputs), expected)
    assert len(list(batches.dataset())) == 3


@pytest.mark.parametrize("seed", [None, 4])
def test_what_goes_with_the_pictures_is_of_the_same_samples(seed: int | None) -> None:
    pixels = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    source = ImageSource(
        Memory(pixels, np.zeros(40, np.int32)), np.arange(256, dtype=np.float32)[None]
    )
    extra = (_Numbers(1), _Numbers(3))
    batches = Batches(source=source, lesson=classes(2), batch_size=8, seed=seed, extra=extra)
    for inputs, _, _ in batches.epoch(1):
        images, single, triple = inputs
        np.testing.assert_array_equal(single[:, 0], images[:, 0, 0, 0])
        np.testing.assert_array_equal(triple, np.repeat(single, 3, axis=1))


@pytest.mark.slow
def test_tensorflow_gets_what_goes_with_the_pictures() -> None:
    source = ImageSource(squares(16), np.zeros((1, 256), np.float32))
    batches = Batches(source=source, lesson=classes(2), batch_size=8, extra=(_Numbers(3),))
    inputs, targets, _ = next(iter(batches.dataset()))
    assert [tuple(values.shape) for values in inputs] == [(8, 8, 8, 1), (8, 3)]
    assert tuple(targets.shape) == (8, 2)


class _Numbers:
    """Answers that say which sample they belong to."""

    def __init__(self, width: int) -> None:
        self.width = width

    def read(self, indices: NDArray[np.int64]) -> Floats:
        return np.repeat(indices[:, None].astype(np.float32), self.width, axis=1)
