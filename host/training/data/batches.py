"""Batches: shuffled, augmented, normalized, from pictures or cached activations on disk.

Only one batch and what the prefetcher holds are in memory, however large the data set is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Augment: TypeAlias = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
Inputs: TypeAlias = Floats | tuple[Floats, ...]
Batch: TypeAlias = tuple[Inputs, Floats, Floats]
"""Inputs (n, ...), alone or with what goes beside them, one-hot targets (n, classes) and sample
weights (n,)."""


class Images(Protocol):
    """Labelled uint8 images on disk, such as `edgeinfer.host.data.store.ImageStore`."""

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) class of each image."""

    def __len__(self) -> int:
        """Return N."""

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return (n, H, W, C)."""


class Features(Protocol):
    """Cached activations, such as `edgeinfer.host.training.data.feature_cache.FeatureFile`."""

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return (n, ...) float32."""


class Source(Protocol):
    """Where batches come from."""

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) class of each sample."""

    def read(self, indices: NDArray[np.int64], generator: np.random.Generator | None) -> Floats:
        """Return the network's inputs (n, ...); a generator asks for random variants of them."""


def normalize(images: NDArray[np.uint8], table: Floats) -> Floats:
    """Look every pixel up: (n, H, W, C) uint8 to float32, bit-equal to the device's.

    Args:
        images: in the spec's channel order.
        table: (C, 256) from `edgeinfer.device.preprocess.normalize_table`.
    """
    if table.shape[0] == 1:
        grey: Floats = table[0][images]
        return grey
    # One flat lookup is faster than one a channel, whose writes are strided.
    offsets = np.arange(table.shape[0], dtype=np.uint16) * np.uint16(256)
    values: Floats = np.take(table.reshape(-1), images + offsets)
    return values


@dataclass(frozen=True)
class ImageSource:
    """Pictures of a store, augmented and normalized."""

    images: Images
    table: Floats
    augment: Augment | None = None

    @property
    def labels(self) -> NDArray[np.int32]:
        """(N,) class of each picture."""
        return self.images.labels

    def read(self, indices: NDArray[np.int64], generator: np.random.Generator | None) -> Floats:
        """Return (n, H, W, C) float32."""
        pixels = self.images.read(indices)
        if generator is not None and self.augment is not None:
            pixels = self.augment(pixels, generator)
        return normalize(pixels, self.table)


@dataclass(frozen=True)
class FeatureSource:
    """Cached activations of a frozen network.

    Attributes:
        variants: equally long; the first belongs to the pictures as they are, the others to
            altered ones.
        labels: (N,) class of each sample.
    """

    variants: tuple[Features, ...]
    labels: NDArray[np.int32]

    def read(self, indices: NDArray[np.int64], generator: np.random.Generator | None) -> Floats:
        """Return (n, ...) float32, each sample of a random variant where a generator is given."""
        if generator is None or len(self.variants) == 1:
            return self.variants[0].read(indices)
        choice = generator.integers(0, len(self.variants), len(indices))
        rows = [
            self.variants[variant].read(indices[row : row + 1])
            for row, variant in enumerate(choice)
        ]
        return np.concatenate(rows)


@dataclass(frozen=True, kw_only=True)
class Batches:
    """An order over a source.

    Attributes:
        source: where samples come from.
        classes: length of the one-hot targets.
        batch_size: samples a batch.
        seed: of order and augmentation; None: in order, as they are.
        class_weights: (classes,) weight of each class's samples.
        beside: what else the network is given with each sample, such as a teacher's answers, in
            the source's order; never augmented. With it, inputs are tuples.
        steps: batches an epoch.
    """

    source: Source
    classes: int
    batch_size: int
    seed: int | None = None
    class_weights: Floats | None = None
    beside: tuple[Features, ...] = ()
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        """Count the steps."""
        total = len(self.source.labels)
        # In training a last, smaller batch would weigh its samples more and disturb batch
        # normalization; the next epoch's order brings them elsewhere.
        whole = total // self.batch_size if self.seed is not None else 0
        object.__setattr__(self, "steps", max(1, whole or -(-total // self.batch_size)))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of one epoch; the same number gives the same batches."""
        labels = self.source.labels
        generator = None if self.seed is None else np.random.default_rng([self.seed, number])
        order = np.arange(len(labels)) if generator is None else generator.permutation(len(labels))
        for step in range(self.steps):
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            classes = labels[chosen]
            targets = np.zeros((len(chosen), self.classes), np.float32)
            targets[np.arange(len(chosen)), classes] = 1.0
            weights = np.ones(len(chosen), np.float32)
            if self.class_weights is not None:
                weights = self.class_weights[classes]
            yield self._inputs(chosen, generator), targets, weights

    def _inputs(self, chosen: NDArray[np.int64], generator: np.random.Generator | None) -> Inputs:
        inputs = self.source.read(chosen, generator)
        if not self.beside:
            return inputs
        return inputs, *(features.read(chosen) for features in self.beside)

    def dataset(self, *, repeat: bool = False) -> Any:
        """Return a tf.data.Dataset that prepares batches while the network computes.

        Args:
            repeat: go on with epoch 1, 2, ... without an end.
        """
        import tensorflow as tf

        def generate() -> Iterator[Batch]:
            for number in count() if repeat else range(1):
                yield from self.epoch(number)

        def spec(values: Floats) -> Any:
            return tf.TensorSpec((None, *values.shape[1:]), tf.float32)

        first = self._inputs(np.arange(1), None)
        signature = (
            tuple(map(spec, first)) if isinstance(first, tuple) else spec(first),
            tf.TensorSpec((None, self.classes), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        )
        data = tf.data.Dataset.from_generator(generate, output_signature=signature)
        if not repeat:
            data = data.apply(tf.data.experimental.assert_cardinality(self.steps))
        return data.prefetch(2)


def balanced_weights(labels: NDArray[np.int32], classes: int) -> Floats:
    """Return (classes,) weights inverse to the frequencies, 1 on average over the samples."""
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    return (len(labels) / (classes * counts)).astype(np.float32)
