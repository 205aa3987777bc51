"""A detector of sensor noise: a real model that plain INT8 quantization breaks.

It decides by the reciprocal root of each place's energy, which is large where a picture is smooth.
Energies span four powers of ten, from smooth areas to edges, and INT8 has 256 steps of one size:
all that decides is in the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    Split,
    TrainedModel,
    write_trained,
)
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, normalize_table

LABELS = ("clean", "noisy")
SIGMA = 4.0
"""Of the noise, in grey levels."""

Pictures = Iterator[NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is trained."""

    side: int
    counts: dict[Split, int] = field(
        default_factory=lambda: {"train": 256, "validation": 100, "test": 40}
    )
    epochs: int = 12
    batch: int = 16


def train_detector(folder: Path, pictures: Pictures, size: Size) -> Path:
    """Train on pictures, every other one with noise; leave what `edgeinfer train` would leave."""
    import keras

    keras.utils.set_random_seed(0)
    spec = PreprocessSpec(size=(size.side, size.side))
    splits = {split: _samples(folder / split, pictures, n) for split, n in size.counts.items()}
    preprocessor, table = Preprocessor(spec), normalize_table(spec)
    images = [preprocessor.image(read_sample(sample.source)) for sample in splits["train"]]
    inputs = table[np.arange(3), np.stack(images)]
    steps = size.epochs * (len(inputs) // size.batch)
    model = detector((size.side, size.side, 3))
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    truth = np.array([sample.target for sample in splits["train"]])
    model.fit(inputs, truth, batch_size=size.batch, epochs=size.epochs, verbose=0)
    model.save(folder / KERAS_FILE)
    write_trained(folder, TrainedModel(name="noise", labels=LABELS, preprocess=spec), splits)
    return folder


def detector(shape: tuple[int, int, int]) -> Any:
    """Build the model: filters, their energy over places, its reciprocal root, a small network."""
    import keras

    layers = keras.layers
    image = keras.Input(shape)
    filtered = layers.Conv2D(16, 5, strides=2, use_bias=False, name="filters")(image)
    energy = layers.Multiply(name="energy")([filtered, filtered])
    energy = layers.AveragePooling2D(4)(energy)
    features = keras.ops.rsqrt(energy + 1e-4)
    for _ in range(2):
        features = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False)(features)
        features = layers.BatchNormalization(momentum=0.9)(features)
        features = layers.ReLU()(features)
    features = layers.GlobalAveragePooling2D()(features)
    return keras.Model(image, layers.Dense(2, name="logits")(features))


def drawn_pictures(side: int, seed: int = 0) -> Pictures:
    """Yield smooth pictures with sharp rectangles, without end."""
    generator = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, side)
    while True:
        slopes = generator.uniform(-60, 60, (2, 3))
        picture = 128 + ramp[:, None, None] * slopes[0] + ramp[None, :, None] * slopes[1]
        for _ in range(3):
            top, left = generator.integers(0, side - 8, 2)
            height, width = generator.integers(4, side // 2, 2)
            picture[top : top + height, left : left + width] = generator.uniform(0, 255, 3)
        yield np.clip(picture, 0, 255).astype(np.uint8)


def _samples(folder: Path, pictures: Pictures, count: int) -> list[Sample]:
    generator = np.random.default_rng(count)
    samples = []
    for index in range(count):
        label = index % 2
        picture = next(pictures).astype(np.float64)
        picture += label * generator.normal(0, SIGMA, picture.shape)
        path = folder / f"{index:05}.png"
        write_atomically(path, encode_png(np.clip(np.round(picture), 0, 255).astype(np.uint8)))
        samples.append(Sample(source=str(path), target=label))
    return samples
