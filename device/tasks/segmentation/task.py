"""Segmentation: an output of class indices, or of scores, for each place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.segmentation.decode import MAX_CLASSES, decode_mask, holds_indices
from edgeinfer.device.tasks.segmentation.guess import guess_segmenter
from edgeinfer.device.tasks.task import Decode, Said, Task


class SegmentationTask(Task):
    """A class for each place of a picture."""

    name: ClassVar[str] = "segmentation"
    has_places: ClassVar[bool] = True

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse an output without places, and labels that do not fit its classes."""
        output, labels = outputs[0], said.labels
        shape = output.shape
        if len(shape) not in (3, 4) or shape[0] != 1:
            raise ValueError(f"output shape is {shape}, expected (1, rows, columns[, classes])")
        if len(shape) == 3 and not holds_indices(output):
            raise ValueError("output has no classes axis, expected class indices or scores a class")
        # Of class indices only the labels say how many classes there are.
        classes = max(shape[3], 2) if len(shape) == 4 else None
        if len(shape) == 4 and shape[3] == 1 and holds_indices(output):
            classes = None
        if max(classes or 0, len(labels)) > MAX_CLASSES:
            raise ValueError(
                f"{max(classes or 0, len(labels))} classes, expected {MAX_CLASSES} at most"
            )
        if classes is not None and len(labels) != classes:
            raise ValueError(f"{len(labels)} labels, expected {classes}: one a class")

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns class indices, or scores, into a mask."""
        output, labels, placing = outputs[0], said.labels, partial(place, preprocess)
        return lambda tensors: decode_mask(
            tensors[0], output, said.decoder, labels, size=preprocess.size, placing=placing
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a class for each place is to be read."""
        return guess_segmenter(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the labels; below an empty line are remarks."""
        if found is not None and guess.classes is None and "" in found:
            found = found[: found.index("")]
        return super().fit_labels(guess, found, given=given, subject=subject)


TASK = SegmentationTask()
