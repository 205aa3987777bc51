"""Batches: shuffled, augmented and normalized, from pictures or cached activations on disk.

Only one batch and the prefetched ones are in memory, for any size of the data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.task import Floats, Motions, Rows

Augment: TypeAlias = Callable[
    [NDArray[np.uint8], np.random.Generator], tuple[NDArray[np.uint8], Motions]
]
"""Maps pictures (n, H, W, C) to changed ones, and returns how each was moved."""
Inputs: TypeAlias = Floats | tuple[Floats, ...]
Batch: TypeAlias = tuple[Inputs, Floats, Floats]
"""Inputs (n, ...), alone or with extra inputs, targets (n, ...), sample weights (n,)."""


class Images(Protocol):
    """uint8 images on disk with their targets, such as `edgeinfer.host.data.store.ImageStore`."""

    @property
    def rows(self) -> Rows:
        """(N, ...) target of each image, in its task's form."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""

    def __len__(self) -> int:
        """Return N."""

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return (n, H, W, C)."""


class Features(Protocol):
    """Cached activations, such as `edgeinfer.host.training.data.feature_cache.FeatureFile`."""

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return (n, ...) float32."""


class Source(Protocol):
    """The source of batches."""

    @property
    def rows(self) -> Rows:
        """(N, ...) target of each sample, in its task's form."""

    def read(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[Inputs, Rows]:
        """Return the network's inputs (n, ...) and their targets' rows.

        With a generator, they are random variants.
        """


def normalize(images: NDArray[np.uint8], table: Floats) -> Floats:
    """Look up every pixel: (n, H, W, C) uint8 to float32, bit-equal to the device's result.

    Args:
        images: in the spec's channel order.
        table: (C, 256) from `edgeinfer.device.preprocess.normalize_table`.
    """
    if table.shape[0] == 1:
        grey: Floats = table[0][images]
        return grey
    # One flat lookup is faster than one for each channel, whose writes are strided.
    offsets = np.arange(table.shape[0], dtype=np.uint16) * np.uint16(256)
    values: Floats = np.take(table.reshape(-1), images + offsets)
    return values


@dataclass(frozen=True)
class ImageSource:
    """Pictures of a store, augmented and normalized.

    Attributes:
        images: the pictures.
        table: (C, 256) from `edgeinfer.device.preprocess.normalize_table`.
        augment: changes them; None for no change.
        move: gives the targets' rows of pictures that were moved; None if they do not change.
    """

    images: Images
    table: Floats
    augment: Augment | None = None
    move: Callable[[Rows, Motions], Rows] | None = None

    @property
    def rows(self) -> Rows:
        """(N, ...) target of each picture, in its task's form."""
        return self.images.rows

    def read(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[Floats, Rows]:
        """Return (n, H, W, C) float32 and the targets' rows."""
        pixels, rows = self.variants(indices, generator)
        return normalize(pixels, self.table), rows

    def variants(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[NDArray[np.uint8], Rows]:
        """Return (n, H, W, C) uint8 before normalization, and the targets' rows."""
        pixels, rows = self.images.read(indices), self.rows[indices]
        if generator is not None and self.augment is not None:
            pixels, motions = self.augment(pixels, generator)
            rows = rows if self.move is None else self.move(rows, motions)
        return pixels, rows


@dataclass(frozen=True)
class FeatureSource:
    """Cached activations of a frozen network.

    Attributes:
        variants: of equal length; the first belongs to the unchanged pictures, the others to
            changed ones.
        variant_rows: (N, ...) targets of each variant, in their task's form.
    """

    variants: tuple[Features, ...]
    variant_rows: tuple[Rows, ...]

    @property
    def rows(self) -> Rows:
        """(N, ...) target of each unchanged sample."""
        return self.variant_rows[0]

    def read(
        self, indices: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[Floats, Rows]:
        """Return (n, ...) float32 with their rows, of a random variant if one is asked for."""
        if generator is None or len(self.variants) == 1:
            return self.variants[0].read(indices), self.rows[indices]
        choice = generator.integers(0, len(self.variants), len(indices))
        features, rows = self.variants[0].read(indices), self.rows[indices]
        # All of a variant in one call: for single rows the calls took longer than the reading.
        for variant in range(1, len(self.variants)):
            places = np.flatnonzero(choice == variant)
            features[places] = self.variants[variant].read(indices[places])
            rows[places] = self.variant_rows[variant][indices[places]]
        return features, rows


@dataclass(frozen=True, kw_only=True)
class Batches:
    """Batches of a source in some order.

    Attributes:
        source: where samples come from.
        lesson: makes targets of the source's rows.
        batch_size: samples per batch.
        seed: of order and augmentation; None: in order and unchanged.
        weights: (N,) weight of each sample; None if all count the same.
        extra: further inputs of the network for each sample, such as a teacher's answers, in
            the source's order; never augmented. With them, inputs are tuples.
        steps: batches per epoch.
    """

    source: Source
    lesson: Lesson
    batch_size: int
    seed: int | None = None
    weights: Floats | None = None
    extra: tuple[Features, ...] = ()
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        """Count the steps."""
        total = len(self.source.rows)
        # In training a last, smaller batch would give its samples more weight and disturb batch
        # normalization; the next epoch has them in other batches.
        whole = total // self.batch_size if self.seed is not None else 0
        object.__setattr__(self, "steps", max(1, whole or -(-total // self.batch_size)))

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch.

        Each is a function of the seed, the epoch and the step, so a training that was stopped goes
        on with the same batches.

        Args:
            number: the epoch, from 0.
            first: the step to begin with.
        """
        total = len(self.source.rows)
        order = np.arange(total)
        if self.seed is not None:
            order = np.random.default_rng([self.seed, number]).permutation(total)
        for step in range(first, self.steps):
            generator = None
            if self.seed is not None:
                generator = np.random.default_rng([self.seed, number, step + 1])
            chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
            inputs, rows = self._inputs(chosen, generator)
            weights = np.ones(len(chosen), np.float32)
            if self.weights is not None:
                weights = self.weights[chosen]
            yield inputs, self.lesson.targets(rows), weights

    def _inputs(
        self, chosen: NDArray[np.int64], generator: np.random.Generator | None
    ) -> tuple[Inputs, Rows]:
        inputs, rows = self.source.read(chosen, generator)
        if not self.extra:
            return inputs, rows
        assert not isinstance(inputs, tuple)  # a source has further inputs itself, or gets these
        return (inputs, *(features.read(chosen) for features in self.extra)), rows

    def dataset(self, *, repeat: bool = False, start: tuple[int, int] = (0, 0)) -> Any:
        """Return a tf.data.Dataset that prepares batches while the network computes.

        Args:
            repeat: continue with epoch 1, 2, ... without end.
            start: the epoch and its step to begin with; only with `repeat`.
        """
        import tensorflow as tf

        def generate() -> Iterator[Batch]:
            for number in count(start[0]) if repeat else range(1):
                yield from self.epoch(number, first=start[1] if number == start[0] else 0)

        def spec(values: Floats) -> Any:
            return tf.TensorSpec((None, *values.shape[1:]), tf.float32)

        # Variants may have longer rows than unchanged pictures.
        generator = None if self.seed is None else np.random.default_rng(0)
        first, rows = self._inputs(np.arange(1), generator)
        signature = (
            tuple(map(spec, first)) if isinstance(first, tuple) else spec(first),
            spec(self.lesson.targets(rows)),
            tf.TensorSpec((None,), tf.float32),
        )
        data = tf.data.Dataset.from_generator(generate, output_signature=signature)
        if not repeat:
            data = data.apply(tf.data.experimental.assert_cardinality(self.steps))
        return data.prefetch(2)
