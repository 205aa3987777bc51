"""A tiny problem that any network learns: bright squares on the left or on the right.

And a network for it that compiles in a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.task import Said
from edgeinfer.host.models.blocks import classifier, conv, depthwise
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.lesson import Lesson


def classes(count: int) -> Lesson:
    """Return the lesson of this many classes."""
    return Lesson(task=TASK, said=Said(labels=tuple(map(str, range(count)))))


@dataclass(frozen=True)
class Memory:
    """Images in memory with the interface of the store on disk."""

    pixels: NDArray[np.uint8]
    rows: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.pixels[indices]


def squares(count: int, *, seed: int = 0, side: int = 8, depth: int = 1) -> Memory:
    """Return `count` noisy pictures of two classes in turn."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 90, (count, side, side, depth), dtype=np.uint8)
    labels = (np.arange(count) % 2).astype(np.int32)
    for image, label in zip(pixels, labels, strict=True):
        column = generator.integers(0, side // 2 - 2) + label * (side // 2)
        row = generator.integers(0, side - 2)
        image[row : row + 2, column : column + 2] = 255
    return Memory(pixels, labels)


def small_network(side: int, *, seed: int = 0) -> Any:
    """Return a network of `edgeinfer train`'s own blocks, for color and two classes.

    It has one of each kind: the layers `stem_conv`, `depthwise_conv`, `last_conv` and `logits`.
    """
    import keras

    keras.utils.set_random_seed(seed)
    image = keras.Input((side, side, 3), name="image")
    x = conv(image, 16, activation="relu", initializer="he", name="stem")
    x = depthwise(x, stride=2, initializer="he", name="depthwise")
    x = conv(x, 64, kernel=1, activation="relu", initializer="he", name="last")
    return keras.Model(image, classifier(x, 2, initializer="he"), name="small_network")
