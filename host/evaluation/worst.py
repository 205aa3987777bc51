"""The pictures with the worst answers, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.pictures.region import Region, Tiles
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.prediction import Canvas, Prediction


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A picture and its answer.

    Attributes:
        source: where the picture is.
        truth: the true answer, in a word; None if its task has none.
        prediction: the answer, with positions in `pixels`.
        pixels: (H, W, 3) uint8 RGB.
        draw_truth: draws where things truly are; by default nothing.
    """

    source: str
    truth: str | None
    prediction: Prediction
    pixels: Pixels
    draw_truth: Callable[[Canvas], None] = lambda canvas: None

    def text(self) -> str:
        """Return it as a line."""
        truth = "" if self.truth is None else f", truth: {self.truth}"
        return f"{self.source}: {self.prediction.text()}{truth}"

    def to_json(self) -> dict[str, object]:
        """Return it for scripts."""
        answer = self.prediction.to_json()
        return {"picture": self.source, "truth": self.truth, "answer": answer}


def answered(
    model: Path,
    samples: Sequence[Sample],
    region: Region | None = None,
    tiles: Tiles | None = None,
) -> list[Answered]:
    """Run a model again on a few pictures; all of them are in memory.

    Args:
        model: a bundle or a plain `.tflite`.
        samples: the pictures.
        region: the part of each that the model sees; None for what it states.
        tiles: columns and rows of the tiles of each that it answers; None for no tiles.

    Raises:
        EdgeinferError: the model or a picture can no longer be read.
    """
    if not samples:
        return []
    found = []
    with Model.open(model, OpenOptions(region=region, tiles=tiles)) as opened:
        task = find_measured(opened.task)
        for sample in samples:
            pixels = read_sample(sample.source, opened.preprocessor.spec)
            found.append(
                Answered(
                    source=sample.source,
                    truth=task.truth(sample.target, opened.said),
                    prediction=opened.predict(pixels),
                    pixels=pixels,
                    draw_truth=partial(task.draw_truth, sample.target),
                )
            )
    return found
