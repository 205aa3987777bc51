"""A real model, small enough to train in a second: is a picture reddish or bluish?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    SPLITS,
    Split,
    TrainedModel,
    read_samples,
    write_trained,
)
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png, read_image
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec, normalize_table
from tests.support.made_once import made_once

LABELS = ("blue", "red")
COUNTS: dict[Split, int] = {"train": 60, "validation": 30, "test": 30}


def write_pictures(folder: Path) -> dict[Split, list[Sample]]:
    """Write noisy pictures of 20 x 16 pixels, half of each class."""
    generator = np.random.default_rng(7)
    splits: dict[Split, list[Sample]] = {split: [] for split in SPLITS}
    for split, count in COUNTS.items():
        for index in range(count):
            label = index % 2
            pixels = generator.integers(0, 200, (16, 20, 3))
            pixels[..., 0 if label else 2] += 55
            path = folder / f"{split}-{index}.png"
            write_atomically(path, encode_png(pixels.astype(np.uint8)))
            splits[split].append(Sample(source=str(path), target=label))
    return splits


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `edgeinfer train` would have left."""
    pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    return made_once(tmp_path_factory, "colours", _train)


def _train(folder: Path) -> None:
    import keras

    splits = write_pictures(folder / "pictures")
    spec = PreprocessSpec(size=(10, 8))
    inputs = np.stack(
        [Preprocessor(spec).image(read_image(Path(s.source))) for s in splits["train"]]
    )
    inputs = normalize_table(spec)[np.arange(3), inputs]
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 10, 3))
    features = keras.layers.Conv2D(4, 3, activation="relu")(image)
    features = keras.layers.GlobalAveragePooling2D()(features)
    model = keras.Model(image, keras.layers.Dense(2)(features))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.03), loss=loss)
    model.fit(inputs, np.array([s.target for s in splits["train"]]), epochs=30, verbose=0)
    model.save(folder / KERAS_FILE)
    write_trained(
        folder,
        TrainedModel(name="colours", labels=LABELS, preprocess=spec, provenance={"seed": "0"}),
        splits,
    )


@pytest.fixture(scope="session")
def train_samples(trained_folder: Path) -> list[Sample]:
    return read_samples(trained_folder)["train"]
