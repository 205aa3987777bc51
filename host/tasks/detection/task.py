"""How things in pictures are learned: each has a class and a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.tasks.spec import Decoder, GridSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.models import ArchitectureInfo
from edgeinfer.host.tasks.detection.learner import joined
from edgeinfer.host.tasks.detection.loss import box_loss, found_metric, teacher_loss
from edgeinfer.host.tasks.detection.network import (
    STRIDES,
    backbone_layers,
    check_size,
    lower_layers,
    output_names,
    scores_name,
    with_boxes,
)
from edgeinfer.host.tasks.detection.taught_boxes import TaughtBoxes
from edgeinfer.host.tasks.detection.things import MOST_THINGS, small_things
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.shown_score import ShownScore
from edgeinfer.host.tasks.task import Rows


class TaughtDetection(TaughtBoxes):
    """Things with boxes; its rows are those of `thing_rows`."""

    losses: ClassVar[tuple[str, ...]] = ("overlap",)
    most_things: ClassVar[int] = MOST_THINGS
    shown_score: ClassVar[ShownScore] = ShownScore(name="found", of=" of the boxes")
    settings: ClassVar[Mapping[str, object]] = {
        **TaughtBoxes.settings,
        "loss": "overlap",
        "size": (256, 256),
        "batch_size": 8,
    }
    pretrained_settings: ClassVar[Mapping[str, object]] = {
        **TaughtBoxes.pretrained_settings,
        "learning_rate": 5e-4,
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

    def doubts(self, samples: Sequence[Sample], rows: Rows) -> list[str]:
        """Return how many things are smaller than the smallest cell, or too many for a picture."""
        return [*small_things(samples, rows, min(STRIDES)), *super().doubts(samples, rows)]

    def learner(self, model: Any) -> Any:
        """Return the model with all grids joined, and boxes in pixels."""
        return joined(model)

    def loss(self, settings: LossSettings) -> Any:
        """Return the loss of overlap and quality; see `loss.py`."""
        return box_loss()

    def teacher_loss(self, answers: Any, outputs: Any) -> Any:
        """Return how far scores and places are from a teacher's; see `loss.py`."""
        return teacher_loss(answers, outputs)

    def metric(self) -> Any:
        """Return the share of true boxes that are found."""
        return found_metric()


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
