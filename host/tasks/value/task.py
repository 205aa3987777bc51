"""How measured values are learned: a target is one number, or several, in their units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.task import scalings, values_in
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.data.folders.findings import require_some
from edgeinfer.host.data.labels.measured.values import find_values
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.tasks.task import Floats, Rows, TaughtTask
from edgeinfer.host.tasks.value.choices import with_choices
from edgeinfer.host.tasks.value.losses import closeness_metric, value_loss
from edgeinfer.host.tasks.value.prepare import checked_files, prepare_values, value_source

PLACES = 32
"""Channels that the head keeps at each place: enough to tell what is there, few to compute."""

LARGEST_SHIFT = 0.03
"""Of a side. More moves what is measured out of its place."""

LOSSES = ("huber", "mse", "mae", "circular")


class TaughtValue(TaughtTask):
    """A measured quantity, or several; its rows are the values, (pictures, values) float64."""

    name: ClassVar[str] = "value"
    reads_table: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset(
        {"targets", "units", "periods", "name_pattern", "split_by"}
    )
    losses: ClassVar[tuple[str, ...]] = LOSSES
    smooths_labels: ClassVar[bool] = False
    shown_score: ClassVar[ShownScore] = ShownScore(
        name="mean error", of=" of the range", error=True
    )
    settings: ClassVar[Mapping[str, object]] = {
        "loss": "huber",
        "label_smoothing": 0.0,
        # Features that are left out at random shift every number.
        "dropout": 0.0,
    }

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read a folder of pictures with a table of values, or with values in their names."""
        return prepare_values(root, options, progress=progress)

    def find(
        self,
        root: Path,
        said: Said,
        *,
        table: Path | None = None,
        progress: Progress | None = None,
    ) -> list[Sample]:
        """Read a folder as `prepare` does, with the model's names and units."""
        return self.find_with(root, said, DataOptions(table=table), progress=progress)

    def find_with(
        self, root: Path, said: Said, options: DataOptions, *, progress: Progress | None = None
    ) -> list[Sample]:
        """Read it as the options say; the values are converted to the model's units."""
        units = tuple(one.unit for one in scalings(said))
        options = replace(
            options,
            targets=options.targets or said.labels,
            units=options.units or (units if any(units) else ()),
        )
        layout = find_values(root, value_source(options))
        if len(layout.names) != values_in(said):
            raise DataError(
                root,
                got=f"has {len(layout.names)} values for each picture",
                expected=f"{values_in(said)}, as the model measures",
                next_step="name the columns with --target",
            )
        files, findings = checked_files(layout, progress)
        require_some(layout.root, files, findings)
        return [Sample(source=file.path, target=ValueTarget(file.values)) for file in files]

    def vector(self, features: Any) -> Any:
        """Return what is at each place: a value depends on where something is."""
        import keras

        few = keras.layers.Conv2D(PLACES, 1, activation="relu", name="places")(features)
        return keras.layers.Flatten(name="pool")(few)

    def numbers(self, said: Said) -> int:
        """Return one number a value, two for one on a circle."""
        return sum(one.outputs for one in scalings(said))

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the values in their units, (samples, values)."""
        return np.array([sample.target.values for sample in samples], np.float64)

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return what the network is to give: -1 to 1 over the range, sine and cosine of angles."""
        numbers = []
        for place, one in enumerate(scalings(said)):
            if one.period is None:
                numbers.append((rows[:, place] - one.offset) / one.scale)
            else:
                angles = (rows[:, place] - one.offset) * (2 * math.pi / one.period)
                numbers += [np.sin(angles), np.cos(angles)]
        targets: Floats = np.stack(numbers, axis=1).astype(np.float32)
        return targets

    def values_of(self, target: Any) -> Sequence[float]:
        """Return its values."""
        values: tuple[float, ...] = target.values
        return values

    def allowed(self, config: AugmentConfig) -> AugmentConfig:
        """Return light and small shifts: mirrored, turned or enlarged, a gauge shows another
        value."""
        shift = min(config.shift, LARGEST_SHIFT)
        return replace(config, flip=False, rotate_deg=0.0, zoom=0.0, shift=shift)

    def check_loss(self, settings: LossSettings, said: Said) -> None:
        """Refuse the circular loss for values that are not on a circle."""
        super().check_loss(settings, said)
        if settings.name == "circular" and not all(one.period for one in scalings(said)):
            raise UsageError(
                "--loss",
                got="circular, for a value without a period",
                expected="values on a circle, such as angles",
                next_step="say what one turn is, such as --period 360",
            )

    def learner(self, model: Any) -> Any:
        """Return a model that also says how it chose among readings, where a network does."""
        return with_choices(model)

    def loss(self, settings: LossSettings) -> Any:
        """Return the loss of scaled values; see `value_loss`."""
        return value_loss(settings)

    def metric(self) -> Any:
        """Return 1 less the mean error as a share of the range."""
        return closeness_metric()


TASK = TaughtValue()
