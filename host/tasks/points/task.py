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
from edgeinfer.device.tasks.spec import Decoder, PointsSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.models import ArchitectureInfo
from edgeinfer.host.tasks.detection.taught_boxes import TaughtBoxes
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.points.close import close_things
from edgeinfer.host.tasks.points.learner import in_pixels
from edgeinfer.host.tasks.points.loss import centres_loss, found_metric, teacher_loss
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
from edgeinfer.host.tasks.task import Rows

LEAST_SIDE, LARGEST_SIDE = 0.02, 0.5
"""Of the square that is drawn around a point, as shares of the picture."""


class TaughtPoints(TaughtBoxes):
    """Centres of things that have boxes; its rows are those of `thing_rows`."""

    name: ClassVar[str] = "points"
    losses: ClassVar[tuple[str, ...]] = ("centres",)
    most_things: ClassVar[int] = PointsSpec(stride=STRIDE).max_objects
    shown_score: ClassVar[ShownScore] = ShownScore(name="found", of=" of the things")
    settings: ClassVar[Mapping[str, object]] = {
        **TaughtBoxes.settings,
        "loss": "centres",
        "size": (128, 128),
        "batch_size": 8,
    }
    pretrained_settings: ClassVar[Mapping[str, object]] = {
        **TaughtBoxes.pretrained_settings,
        "learning_rate": 1e-3,
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

    def fits_network(self, network: ArchitectureInfo) -> bool:
        """Return whether a network has features at half the stride or more."""
        return network.last_stride >= STRIDE // 2

    def network(self, model: Any, said: Said) -> Any:
        """Return a network of points on the features of another one."""
        return with_points(model, self.numbers(said))

    def backbone_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers below the ones of points."""
        return backbone_layers(model)

    def lower_layers(self, model: Any) -> Sequence[Any]:
        """Return the layers up to the features of half the stride."""
        return lower_layers(model)

    def output_shapes(self, said: Said, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of logits and places."""
        width, height = size
        cells = (height // STRIDE, width // STRIDE)
        return {SCORES: (*cells, self.numbers(said)), PLACES: (*cells, 2)}

    def last_layers(self) -> tuple[str, ...]:
        """Return the layer of the logits."""
        return (SCORES,)

    def doubts(self, samples: Sequence[Sample], rows: Rows) -> list[str]:
        """Return how many things are too close to others, or too many for a picture."""
        return [*close_things(samples, rows, STRIDE), *super().doubts(samples, rows)]

    def learner(self, model: Any) -> Any:
        """Return the model with its cells in a row, in pixels."""
        return in_pixels(model)

    def loss(self, settings: LossSettings) -> Any:
        """Return the loss of scores and ways; see `loss.py`."""
        return centres_loss()

    def teacher_loss(self, answers: Any, outputs: Any) -> Any:
        """Return how far scores and places are from a teacher's; see `loss.py`."""
        return teacher_loss(answers, outputs)

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
