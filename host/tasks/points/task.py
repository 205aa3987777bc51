"""How the centres of things in pictures are learned, from boxes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import Decoder, PointsSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.data.mosaic import Part
from edgeinfer.host.tasks.detection.data import DetectionData
from edgeinfer.host.tasks.detection.task import boxes_follow
from edgeinfer.host.tasks.detection.things import moved_things, thing_rows, things_in_mosaic
from edgeinfer.host.tasks.label_order import label_order
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.points.learner import in_pixels
from edgeinfer.host.tasks.points.loss import centres_loss, found_metric, taught_loss
from edgeinfer.host.tasks.points.network import (
    PLACES,
    SCORES,
    STRIDE,
    backbone_layers,
    check_size,
    lower_layers,
    with_points,
)
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.tasks.task import Floats, Motions, Rows, TaughtTask

LEAST_SIDE, LARGEST_SIDE = 0.02, 0.5
"""Of the square that is drawn around a point, as shares of the picture."""


class TaughtPoints(DetectionData, TaughtTask):
    """Centres of things that have boxes; its rows are those of `thing_rows`."""

    name: ClassVar[str] = "points"
    losses: ClassVar[tuple[str, ...]] = ("centres",)
    smooths_labels: ClassVar[bool] = False
    drops_features: ClassVar[bool] = False
    shown_score: ClassVar[ShownScore] = ShownScore(name="found", of=" of the things")
    in_two_stages: ClassVar[bool] = False
    makes_mosaics: ClassVar[bool] = True
    asks_each_batch: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, object]] = {
        "loss": "centres",
        "label_smoothing": 0.0,
        "dropout": 0.0,
        "size": (128, 128),
        "batch_size": 8,
        "clip_norm": 10.0,
    }
    pretrained_settings: ClassVar[Mapping[str, object]] = {
        "epochs": 30,
        "patience": 30,
        "learning_rate": 1e-3,
        "fine_tune": "upper",
        "fine_tune_epochs": 0,
        "folds": "none",
    }

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read, check and split a folder of pictures with boxes."""
        prepared = super().prepare(root, options, progress=progress)
        return replace(prepared, decoder=points_decoder(prepared.splits["train"]))

    def check_size(self, size: tuple[int, int]) -> None:
        """Refuse sizes that the cells do not fill."""
        check_size(size)

    def network(self, model: Any, said: Said) -> Any:
        """Return a network of points on the features of another one."""
        return with_points(model, self.numbers(said))

    def backbone_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers below the ones of points."""
        return backbone_layers(model)

    def lower_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers up to the features of half the stride."""
        return lower_layers(model)

    def numbers(self, said: Said) -> int:
        """Return the number of classes: as many logits has each cell."""
        return len(said.labels)

    def output_shapes(self, said: Said, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of logits and places."""
        width, height = size
        cells = (height // STRIDE, width // STRIDE)
        return {SCORES: (*cells, self.numbers(said)), PLACES: (*cells, 2)}

    def last_layers(self) -> tuple[str, ...]:
        """Return the layer of the logits."""
        return (SCORES,)

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the boxes in pixels of the prepared pictures, with their classes."""
        return thing_rows(samples, spec, most=PointsSpec(stride=STRIDE).max_objects)

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return the rows: the loss decides what each cell is to answer."""
        return rows.astype(np.float32)

    def moved(self, rows: Rows, motions: Motions, size: tuple[int, int]) -> Rows:
        """Return the boxes that go along with the pictures."""
        return moved_things(rows, motions, size)

    def in_mosaic(self, rows: Rows, parts: Sequence[Part]) -> Rows:
        """Return the boxes of all parts, as much as each shows."""
        return things_in_mosaic(rows, parts)

    def allowed(self, config: AugmentConfig) -> AugmentConfig:
        """Return light, mirrors, shifts and zoom, as much as boxes can follow."""
        return boxes_follow(config)

    def learner(self, model: Any) -> Any:
        """Return the model with its cells in a row, in pixels."""
        return in_pixels(model)

    def loss(self, settings: LossSettings) -> Any:
        """Return the loss of scores and ways; see `loss.py`."""
        return centres_loss()

    def teacher_order(self, run: Path, theirs: Said, ours: Said) -> list[int]:
        """Return the position of each of the student's classes; the teacher must know the same."""
        return label_order(run, theirs.labels, ours.labels)

    def taught_loss(self, answers: Any, outputs: Any) -> Any:
        """Return how far scores and places are from the teacher's; see `loss.py`."""
        return taught_loss(answers, outputs)

    def metric(self) -> Any:
        """Return the share of things that are found."""
        return found_metric()


def points_decoder(samples: Sequence[Sample]) -> Decoder:
    """Return which output is what, with squares of the usual size of things.

    Args:
        samples: pictures to learn from, with a `BoxesTarget` each.
    """
    sides = [
        math.sqrt((thing.right - thing.left) * (thing.bottom - thing.top))
        for sample in samples
        for thing in sample.target.things
    ]
    side = float(np.clip(np.median(sides), LEAST_SIDE, LARGEST_SIDE))
    return Decoder(points=PointsSpec(stride=STRIDE, side=round(side, 4)))


TASK = TaughtPoints()
"""Trains networks of points, and reads their data."""
