"""What tasks that learn from things with boxes have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.augment import AugmentConfig
from edgeinfer.host.data.mosaic import Part
from edgeinfer.host.tasks.detection.data import DetectionData
from edgeinfer.host.tasks.detection.things import (
    many_things,
    moved_things,
    thing_rows,
    things_in_mosaic,
)
from edgeinfer.host.tasks.label_order import label_order
from edgeinfer.host.tasks.task import Floats, Motions, Rows, TaughtTask

ZOOM, SHIFT = 0.35, 0.15
"""Boxes move along with their pictures, so a thing may be anywhere and at other sizes."""


class TaughtBoxes(DetectionData, TaughtTask):
    """Things that have boxes; its rows are those of `thing_rows`.

    Attributes:
        most_things: of a picture with more things, as many are learned, the largest.
    """

    most_things: ClassVar[int]
    smooths_labels: ClassVar[bool] = False
    drops_features: ClassVar[bool] = False
    in_two_stages: ClassVar[bool] = False
    makes_mosaics: ClassVar[bool] = True
    asks_each_batch: ClassVar[bool] = True
    settings: ClassVar[Mapping[str, object]] = {
        "label_smoothing": 0.0,
        "dropout": 0.0,
        "clip_norm": 10.0,
    }
    pretrained_settings: ClassVar[Mapping[str, object]] = {
        "epochs": 30,
        "patience": 30,
        "fine_tune": "upper",
        "fine_tune_epochs": 0,
        "folds": "none",
    }

    def numbers(self, said: Said) -> int:
        """Return the number of classes: as many logits has each cell."""
        return len(said.labels)

    def rows(self, samples: Sequence[Sample], spec: PreprocessSpec) -> Rows:
        """Return the boxes in pixels of the prepared pictures, with their classes."""
        return thing_rows(samples, spec, most=self.most_things)

    def doubts(self, samples: Sequence[Sample], rows: Rows) -> list[str]:
        """Return how many pictures have too many things."""
        return many_things(samples, self.most_things)

    def targets(self, rows: Rows, said: Said) -> Floats:
        """Return the rows: the loss decides which cells answer for which thing."""
        return rows.astype(np.float32)

    def moved(self, rows: Rows, motions: Motions, size: tuple[int, int]) -> Rows:
        """Return the boxes that go along with the pictures."""
        return moved_things(rows, motions, size)

    def in_mosaic(self, rows: Rows, parts: Sequence[Part]) -> Rows:
        """Return the boxes of all parts, as much as each shows."""
        return things_in_mosaic(rows, parts)

    def teacher_order(self, run: Path, theirs: Said, ours: Said) -> list[int]:
        """Return the position of each of the student's classes; the teacher must know the same."""
        return label_order(run, theirs.labels, ours.labels)

    def allowed(self, config: AugmentConfig) -> AugmentConfig:
        """Return light, mirrors, shifts and zoom, as much as boxes can follow.

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
