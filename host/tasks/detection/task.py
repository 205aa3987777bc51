"""How things in pictures are learned: each has a class and a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import Decoder, GridSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.data.mosaic import Part
from edgeinfer.host.models import ArchitectureInfo
from edgeinfer.host.tasks.detection.data import DetectionData
from edgeinfer.host.tasks.detection.learner import joined
from edgeinfer.host.tasks.detection.loss import box_loss, found_metric, taught_loss
from edgeinfer.host.tasks.detection.network import (
    STRIDES,
    backbone_layers,
    check_size,
    lower_layers,
    output_names,
    scores_name,
    with_boxes,
)
from edgeinfer.host.tasks.detection.things import (
    many_things,
    moved_things,
    small_things,
    thing_rows,
    things_in_mosaic,
)
from edgeinfer.host.tasks.label_order import label_order
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.tasks.task import Floats, Motions, Rows, TaughtTask

ZOOM, SHIFT = 0.35, 0.15
"""Boxes move along with their pictures, so a thing may be anywhere and at other sizes."""


class TaughtDetection(DetectionData, TaughtTask):
    """Things with boxes; its rows are those of `thing_rows`."""

    losses: ClassVar[tuple[str, ...]] = ("overlap",)
    smooths_labels: ClassVar[bool] = False
    drops_features: ClassVar[bool] = False
    shown_score: ClassVar[ShownScore] = ShownScore(name="found", of=" of the boxes")
    in_two_stages: ClassVar[bool] = False
    makes_mosaics: ClassVar[bool] = True
    asks_each_batch: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, object]] = {
        "loss": "overlap",
        "label_smoothing": 0.0,
        "dropout": 0.0,
        "size": (256, 256),
        "batch_size": 8,
        "clip_norm": 10.0,
    }
    pretrained_settings: ClassVar[Mapping[str, object]] = {
        "epochs": 30,
        "patience": 30,
        "learning_rate": 5e-4,
        "fine_tune": "upper",
        "fine_tune_epochs": 0,
        "folds": "none",
    }

    def prepare(
        self, root: Path, options: DataOptions, *, progress: Progress | None = None
    ) -> PreparedData:
        """Read, check and split a folder of pictures with boxes."""
        prepared = super().prepare(root, options, progress=progress)
        return replace(prepared, decoder=Decoder(grids=grids()))

    def check_size(self, size: tuple[int, int]) -> None:
        """Refuse sizes that the grids do not fill."""
        check_size(size)

    def fits_network(self, network: ArchitectureInfo) -> bool:
        """Return whether a network has features at the smallest stride."""
        return network.last_stride >= min(STRIDES)

    def network(self, model: Any, said: Said) -> Any:
        """Return a network with a pyramid and heads on the features of another one."""
        return with_boxes(model, self.numbers(said))

    def backbone_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers below the pyramid."""
        return backbone_layers(model)

    def lower_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers up to the features of the smallest stride."""
        return lower_layers(model)

    def numbers(self, said: Said) -> int:
        """Return the number of classes: as many logits has each cell."""
        return len(said.labels)

    def output_shapes(self, said: Said, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of boxes and logits of each grid."""
        width, height = size
        return {
            name: (height // stride, width // stride, numbers)
            for stride, names in zip(STRIDES, _pairs(), strict=True)
            for name, numbers in zip(names, (4, self.numbers(said)), strict=True)
        }

    def last_layers(self) -> tuple[str, ...]:
        """Return the layers of the logits."""
        return tuple(map(scores_name, STRIDES))

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the boxes in pixels of the prepared pictures, with their classes."""
        return thing_rows(samples, spec)

    def doubts(self, samples: Sequence[Sample], rows: Rows) -> list[str]:
        """Return how many things are smaller than the smallest cell, or too many for a picture."""
        return [*small_things(samples, rows, min(STRIDES)), *many_things(samples)]

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return the rows: the loss decides which cells answer for which thing."""
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
        """Return the model with all grids joined, and boxes in pixels."""
        return joined(model)

    def loss(self, settings: LossSettings) -> Any:
        """Return the loss of overlap and quality; see `loss.py`."""
        return box_loss()

    def teacher_order(self, run: Path, theirs: Said, ours: Said) -> list[int]:
        """Return the position of each of the student's classes; the teacher must know the same."""
        return label_order(run, theirs.labels, ours.labels)

    def taught_loss(self, answers: Any, outputs: Any) -> Any:
        """Return how far scores and places are from the teacher's; see `loss.py`."""
        return taught_loss(answers, outputs)

    def metric(self) -> Any:
        """Return the share of true boxes that are found."""
        return found_metric()


def boxes_follow(config: AugmentConfig) -> AugmentConfig:
    """Return the part of an augmentation that boxes can follow.

    Nothing is turned, since an upright box around a turned thing is too large; and no mirrored
    border shows a second thing that has no box.
    """
    moves = bool(config.zoom or config.shift)
    return replace(
        config,
        rotate_deg=0.0,
        zoom=ZOOM if moves else 0.0,
        shift=SHIFT if moves else 0.0,
        border="grey",
    )


def _pairs() -> list[tuple[str, ...]]:
    """Return the names of each grid's two outputs."""
    names = output_names()
    return [names[place : place + 2] for place in range(0, len(names), 2)]


def grids() -> GridSpec:
    """Return which output is what."""
    count = 2 * len(STRIDES)
    return GridSpec(
        strides=STRIDES, boxes=tuple(range(0, count, 2)), scores=tuple(range(1, count, 2))
    )


TASK = TaughtDetection()
"""Trains detectors, and reads their data."""
