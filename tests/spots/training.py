"""How a model is trained to find spots: a grid of three columns, each with a spot or none."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.decode import read_image_size
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.data.split import split_samples
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.task import Floats, Motions, Rows, TaughtTask, move_points
from tests.spots.spots import MEASURED, NAME, THIRDS, read_points


class SpotsTraining(TaughtTask):
    """Its rows are (pictures, thirds, 3): whether a spot is there, and where, in 0 to 1."""

    name: ClassVar[str] = NAME

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        samples = self.find(root, Said(), progress=progress)
        splits = split_samples(
            ((sample, None) for sample in samples),
            task=MEASURED,
            seed=options.seed,
            validation_share=options.validation_share or 0.2,
            test_share=options.test_share or 0.2,
        )
        return PreparedData(name=root.name, splits=splits, task=NAME)

    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        try:
            with (root / "spots.csv").open(newline="") as file:
                rows = list(csv.reader(file))
        except OSError as error:
            raise DataError(root, got="has no spots.csv") from error
        return [Sample(source=str(root / name), target=read_points(at)) for name, at in rows]

    def vector(self, features: Any) -> Any:
        import keras

        few = keras.layers.Conv2D(16, 1, activation="relu", name="few")(features)
        return keras.layers.Flatten(name="pool")(few)

    def numbers(self, said: Said) -> int:
        return 3 * THIRDS

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        rows = np.zeros((len(samples), THIRDS, 3))
        for row, sample in zip(rows, samples, strict=True):
            placement = place(spec, read_image_size(sample.source))
            points = np.array(sample.target, np.float64).reshape(-1, 2)
            row[:] = _in_thirds(placement.from_frame(points) / spec.size)
        return rows

    def targets(self, rows: Rows, said: Said) -> Floats:
        return rows.reshape(len(rows), -1).astype(np.float32)

    def moved(self, rows: Rows, motions: Motions, size: tuple[int, int]) -> Rows:
        moved = move_points((rows[:, :, 1:] * size).astype(np.float64), motions) / size
        there = rows[:, :, 0] > 0
        return np.stack([_in_thirds(to[seen]) for to, seen in zip(moved, there, strict=True)])

    def loss(self, settings: LossSettings) -> Any:
        import keras
        from keras import ops

        class SpotsLoss(keras.losses.Loss):  # type: ignore[misc]
            def call(self, y_true: Any, y_pred: Any) -> Any:
                wanted = ops.reshape(y_true, (-1, THIRDS, 3))
                given = ops.reshape(y_pred, (-1, THIRDS, 3))
                there = wanted[:, :, 0]
                seen = ops.binary_crossentropy(there, given[:, :, 0], from_logits=True)
                away = ops.sum(ops.square(wanted[:, :, 1:] - given[:, :, 1:]), axis=-1)
                return ops.mean(seen + 20.0 * there * away, axis=-1)

        return SpotsLoss()

    def metric(self) -> Any:
        import keras
        from keras import ops

        def right(y_true: Any, y_pred: Any) -> Any:
            there = ops.reshape(y_true, (-1, THIRDS, 3))[:, :, 0] > 0.5
            seen = ops.reshape(y_pred, (-1, THIRDS, 3))[:, :, 0] > 0
            return ops.mean(ops.cast(ops.equal(there, seen), "float32"), axis=-1)

        return keras.metrics.MeanMetricWrapper(right, name="accuracy")


def _in_thirds(points: Rows) -> Rows:
    """Return points (n, 2) in 0 to 1 by the third that each is in; those outside are left out."""
    row = np.zeros((THIRDS, 3))
    for x, y in points:
        if 0 <= x < 1 and 0 <= y < 1:
            row[int(x * THIRDS)] = 1.0, x, y
    return row


TASK = SpotsTraining()
