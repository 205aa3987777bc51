"""Detection: outputs of boxes, classes and scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.decode import blank_unused, decode_detections
from edgeinfer.device.tasks.detection.guess import guess_detector
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.labels import is_background, named
from edgeinfer.device.tasks.spec import DetectionSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task


class DetectionTask(Task):
    """Objects in a picture."""

    name: ClassVar[str] = "detection"
    parts: ClassVar[frozenset[str]] = frozenset({"detection"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score"})
    has_places: ClassVar[bool] = True
    smooths: ClassVar[bool] = True

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score."""
        said = super().adjusted(said, answer)
        if answer.min_score is None:
            return said
        spec = replace(_spec(said), min_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, detection=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that are not boxes, classes and scores of as many objects."""
        spec = _spec(said)
        numbers = [spec.boxes, spec.classes, spec.scores]
        numbers += [] if spec.count is None else [spec.count]
        if max(numbers) >= len(outputs):
            raise ValueError(f"{len(outputs)} outputs, expected output {max(numbers)} among them")
        shapes = [outputs[number].shape for number in numbers]
        objects = math.prod(shapes[2])
        expected = [(1, objects, 4), (1, objects), (1, objects)]
        if shapes[:3] != expected or any(math.prod(shape) != 1 for shape in shapes[3:]):
            raise ValueError(
                f"outputs of boxes, classes, scores and count are {shapes}, "
                "expected (1, N, 4), (1, N), (1, N) and one number"
            )

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns boxes, classes and scores into objects."""
        spec, labels, placing = _spec(said), said.labels, partial(place, preprocess)
        return lambda tensors: decode_detections(
            tensors, outputs, spec, labels, size=preprocess.size, placing=placing
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a detector is to be read."""
        return guess_detector(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the labels, without the background that a file may begin with."""
        skips = found and is_background(found[0]) and (given or guess.skips_background)
        if found and skips and guess.classes is None:
            return named(found[1:]), f"the label '{found[0]}' is not a class of a detector"
        return super().fit_labels(guess, found, given=given, subject=subject)

    def rows(self, said: Said) -> Rows:
        """Return which output is what."""
        spec = _spec(said)
        count = "" if spec.count is None else f", count {spec.count}"
        order = ", ".join(map(str, spec.order))
        return [
            *super().rows(said),
            ("outputs", f"boxes {spec.boxes}, classes {spec.classes}, scores {spec.scores}{count}"),
            ("boxes", f"{spec.form} in {spec.unit}s, numbers at {order}"),
            ("min score", f"{spec.min_score:g}"),
        ]

    def repeatable(
        self,
        said: Said,
        outputs: Sequence[NDArray[np.generic]],
        tensors: Sequence[TensorSpec],
    ) -> list[NDArray[np.generic]]:
        """Return the outputs with zeros behind the objects that the count names."""
        return blank_unused(outputs, tensors, _spec(said))


def _spec(said: Said) -> DetectionSpec:
    assert said.decoder.detection is not None
    return said.decoder.detection


TASK = DetectionTask()
