"""A teacher's run that is made in a moment, and pictures for it to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    Split,
    TrainedModel,
    write_trained,
)
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from tests.host.training.data.problem import squares

LABELS = ("left", "right")
SPEC = PreprocessSpec(size=(12, 10), channels="grey", mean=(60.0,), std=(50.0,))
WIDTH = 6


def write_pictures(root: Path, count: int = 40, *, seed: int = 0) -> list[Sample]:
    """Write 16x16 pictures, one folder a class, and return them sorted as a split is."""
    data = squares(count, side=16, depth=3, seed=seed)
    samples = []
    for index, (pixels, label) in enumerate(zip(data.pixels, data.rows, strict=True)):
        path = root / LABELS[label] / f"{index:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(pixels))
        samples.append(Sample(source=str(path), target=int(label)))
    return sorted(samples, key=lambda sample: (sample.target, sample.source))


def teacher_network(*, seed: int = 0, classes: int = 2) -> Any:
    """Return a small network with random weights, for another input than the student's."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input(SPEC.shape, name="image")
    x = keras.layers.Conv2D(WIDTH, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Dense(classes, name="logits")(x))


def write_teacher(
    run: Path,
    splits: Mapping[Split, Sequence[Sample]] | None = None,
    *,
    labels: tuple[str, ...] = LABELS,
    model: Any = None,
) -> Path:
    """Write a run's folder and return it."""
    run.mkdir(parents=True)
    (model or teacher_network(classes=len(labels))).save(run / KERAS_FILE)
    trained = TrainedModel(name=run.name, labels=labels, preprocess=SPEC)
    write_trained(run, trained, splits or {})
    return run
