"""Detection: outputs of boxes, classes and scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.candidates.decode import decode_candidates
from edgeinfer.device.tasks.detection.candidates.describe import (
    adjust_candidates,
    candidate_rows,
    check_candidates,
    check_one_decoder,
    overlap_refused,
)
from edgeinfer.device.tasks.detection.candidates.guess import guess_candidates
from edgeinfer.device.tasks.detection.cells import check_cells
from edgeinfer.device.tasks.detection.decode import blank_unused, decode_detections
from edgeinfer.device.tasks.detection.faces.blaze_face import (
    adjusted_anchors,
    anchor_rows,
    check_anchors,
    faces_decoder,
)
from edgeinfer.device.tasks.detection.grids import (
    adjusted_grids,
    check_grids,
    grid_decoder,
    grid_rows,
)
from edgeinfer.device.tasks.detection.guess import fit_class_names, guess_detector
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.labels import is_background, named
from edgeinfer.device.tasks.spec import AnchorSpec, CandidateSpec, DetectionSpec, GridSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task

_Decoders: TypeAlias = tuple[
    DetectionSpec | None, AnchorSpec | None, CandidateSpec | None, GridSpec | None
]


class DetectionTask(Task):
    """Objects in a picture."""

    name: ClassVar[str] = "detection"
    may_have: ClassVar[frozenset[str]] = frozenset({"detection", "anchors", "candidates", "grids"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score", "iou"})
    has_places: ClassVar[bool] = True
    smooths: ClassVar[bool] = True
    has_objects: ClassVar[bool] = True

    def schema(self, said: Said) -> int:
        """Return 4 for a model of grids, 3 for boxes relative to anchors, or candidates."""
        spec = said.decoder.detection
        if said.decoder.grids is not None:
            return 4
        return 2 if spec is not None and spec.classes_per_box is None else 3

    def check(self, said: Said) -> None:
        """Refuse anything but one decoder."""
        super().check(said)
        check_one_decoder(*_decoders(said))

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score, or overlap."""
        said = super().adjusted(said, answer)
        if said.decoder.anchors is not None:
            anchors = adjusted_anchors(said.decoder.anchors, answer)
            return replace(said, decoder=replace(said.decoder, anchors=anchors))
        if said.decoder.grids is not None:
            grids = adjusted_grids(said.decoder.grids, answer)
            return replace(said, decoder=replace(said.decoder, grids=grids))
        candidates = said.decoder.candidates
        if candidates is not None:
            candidates = adjust_candidates(candidates, answer)
            return replace(said, decoder=replace(said.decoder, candidates=candidates))
        if answer.iou is not None:
            raise overlap_refused()
        if answer.min_score is None:
            return said
        spec = replace(_spec(said), min_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, detection=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that are not boxes, classes and scores of as many objects."""
        if said.decoder.anchors is not None:
            check_anchors(said.decoder.anchors, said.labels, outputs)
            return
        if said.decoder.grids is not None:
            check_grids(said.decoder.grids, said.labels, outputs)
            return
        candidates = said.decoder.candidates
        if candidates is not None:
            check_candidates(candidates, outputs)
            if candidates.classes not in (None, len(said.labels)):
                raise ValueError(
                    f"{len(said.labels)} labels, expected {candidates.classes}: one a class"
                )
            return
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

    def check_image(self, said: Said, outputs: Sequence[TensorSpec], size: tuple[int, int]) -> None:
        """Refuse grids that are not the image."""
        grids = said.decoder.grids
        if grids is not None:
            for stride, box in zip(grids.strides, grids.boxes, strict=True):
                check_cells(outputs[box], stride, size)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns boxes, classes and scores into objects."""
        labels, placing, anchors = said.labels, partial(place, preprocess), said.decoder.anchors
        if anchors is not None:
            return faces_decoder(
                anchors, outputs, labels=labels, size=preprocess.size, placing=placing
            )
        if said.decoder.grids is not None:
            return grid_decoder(
                said.decoder.grids, outputs, labels=labels, size=preprocess.size, placing=placing
            )
        candidates = said.decoder.candidates
        if candidates is not None:
            return lambda tensors: decode_candidates(
                tensors, outputs, candidates, labels, size=preprocess.size, placing=placing
            )
        spec = _spec(said)
        return lambda tensors: decode_detections(
            tensors, outputs, spec, labels, size=preprocess.size, placing=placing
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a detector is to be read."""
        return guess_detector(shown) or guess_candidates(shown, "detection")

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the labels, without the background that a file may begin with."""
        skips = found and is_background(found[0]) and (given or guess.skips_background)
        if found and skips and guess.classes in (None, len(found) - 1):
            return named(found[1:]), f"the label '{found[0]}' is not a class of a detector"
        if found and guess.classes is not None:
            return fit_class_names(found, guess.classes, subject=subject)
        return super().fit_labels(guess, found, given=given, subject=subject)

    def rows(self, said: Said) -> Rows:
        """Return which output is what."""
        anchors = said.decoder.anchors
        if anchors is not None:
            return [*super().rows(said), *anchor_rows(anchors)]
        if said.decoder.grids is not None:
            return grid_rows(said.decoder.grids)
        if said.decoder.candidates is not None:
            return candidate_rows(said.decoder.candidates)
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
        if said.decoder.detection is None:
            return super().repeatable(said, outputs, tensors)
        return blank_unused(outputs, tensors, _spec(said), len(said.labels))


def min_score(said: Said) -> float:
    """Return the least score of an object that a model answers with."""
    spec = next(one for one in _decoders(said) if one is not None)
    return spec.min_score


def _decoders(said: Said) -> _Decoders:
    """Return the decoders that a detector may have, of which it has one."""
    decoder = said.decoder
    return (decoder.detection, decoder.anchors, decoder.candidates, decoder.grids)


def _spec(said: Said) -> DetectionSpec:
    assert said.decoder.detection is not None
    return said.decoder.detection


TASK = DetectionTask()
