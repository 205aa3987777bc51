"""Pose: the outputs of a PoseNet, or of a model that gives keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.candidates.describe import (
    adjust_candidates,
    candidate_rows,
    check_candidates,
    check_one_decoder,
    overlap_refused,
)
from edgeinfer.device.tasks.detection.candidates.guess import guess_candidates
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.pose.candidates import candidate_poses
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, LIMBS, decode_poses
from edgeinfer.device.tasks.pose.guess import guess_pose
from edgeinfer.device.tasks.pose.keypoints import check_keypoints, decode_keypoints
from edgeinfer.device.tasks.spec import PoseSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task


class PoseTask(Task):
    """People by their keypoints."""

    name: ClassVar[str] = "pose"
    may_have: ClassVar[frozenset[str]] = frozenset({"pose", "keypoints", "candidates"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score", "iou"})
    has_places: ClassVar[bool] = True

    def schema(self, said: Said) -> int:
        """Return 3 for a model that gives keypoints, or candidates."""
        return 2 if said.decoder.pose is not None else 3

    def check(self, said: Said) -> None:
        """Refuse anything but one decoder, and candidates without keypoints."""
        super().check(said)
        decoder = said.decoder
        check_one_decoder(decoder.pose, decoder.keypoints, decoder.candidates)
        if decoder.candidates is not None and decoder.candidates.keypoints is None:
            raise ValueError("candidates of a pose have no keypoints, expected some")

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score of a person, or overlap."""
        said = super().adjusted(said, answer)
        candidates = said.decoder.candidates
        if candidates is not None:
            candidates = adjust_candidates(candidates, answer)
            return replace(said, decoder=replace(said.decoder, candidates=candidates))
        if answer.iou is not None:
            raise overlap_refused()
        if answer.min_score is None:
            return said
        decoder, least = said.decoder, answer.min_score
        if decoder.keypoints is not None:
            points = replace(decoder.keypoints, min_score=least)
            return replace(said, decoder=replace(decoder, keypoints=points))
        spec = replace(_spec(said), min_person_score=least)
        return replace(said, decoder=replace(decoder, pose=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that are not keypoints, candidates, or maps over one grid."""
        if said.decoder.keypoints is not None:
            check_keypoints(said.decoder.keypoints, said.labels, outputs)
            return
        candidates = said.decoder.candidates
        if candidates is not None:
            check_candidates(candidates, outputs)
            points = (candidates.keypoints or (0, 0))[0]
            if len(said.labels) not in (0, points):
                raise ValueError(f"{len(said.labels)} labels, expected {points}: one a keypoint")
            return
        spec, labels = _spec(said), said.labels
        numbers = [spec.heatmaps, spec.offsets, *spec.displacements]
        if max(numbers) >= len(outputs):
            raise ValueError(f"{len(outputs)} outputs, expected output {max(numbers)} among them")
        shapes = [outputs[number].shape for number in numbers]
        grid, points = shapes[0][:-1], shapes[0][-1] if shapes[0] else 0
        if any(len(shape) != 4 or shape[:-1] != grid or shape[0] != 1 for shape in shapes):
            raise ValueError(f"output shapes are {shapes}, expected (1, rows, columns, channels)")
        channels = [shape[-1] for shape in shapes]
        ways = sum(channels[2:])
        if channels[1] != 2 * points or (
            ways and (ways, points) != (4 * len(LIMBS), len(KEYPOINTS))
        ):
            raise ValueError(
                f"outputs have {channels} channels, expected K keypoints, 2 K offsets, and with "
                f"displacements {len(KEYPOINTS)} keypoints and {4 * len(LIMBS)} ways"
            )
        if len(labels) not in (0, points):
            raise ValueError(f"{len(labels)} labels, expected {points}: one a keypoint")

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns keypoints, candidates, or heatmaps and their ways, into people."""
        labels, placing = said.labels, partial(place, preprocess)
        points, candidates = said.decoder.keypoints, said.decoder.candidates
        if points is not None:
            return lambda tensors: decode_keypoints(
                tensors, outputs, points, labels, size=preprocess.size, placing=placing
            )
        if candidates is not None:
            return lambda tensors: candidate_poses(
                tensors, outputs, candidates, labels, size=preprocess.size, placing=placing
            )
        spec = _spec(said)
        return lambda tensors: decode_poses(
            tensors, outputs, spec, labels, size=preprocess.size, placing=placing
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a pose model is to be read."""
        return guess_pose(shown) or guess_candidates(shown, "pose")

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the keypoints' names; they have usual names without a file."""
        if found is None:
            return (), None
        return super().fit_labels(guess, found, given=given, subject=subject)

    def rows(self, said: Said) -> Rows:
        """Return which output is what."""
        points = said.decoder.keypoints
        if points is not None:
            return [
                *super().rows(said),
                ("outputs", f"{points.keypoints} keypoints a person: output {points.output}"),
                ("min score", f"{points.min_score:g}"),
            ]
        if said.decoder.candidates is not None:
            return candidate_rows(said.decoder.candidates)
        spec = _spec(said)
        ways = ", ".join(map(str, spec.displacements)) or "none"
        return [
            *super().rows(said),
            ("outputs", f"heatmaps {spec.heatmaps}, offsets {spec.offsets}, displacements {ways}"),
            ("stride", f"{spec.stride:g} pixels"),
            ("people", f"{spec.max_people} at most"),
            ("min score", f"{spec.min_person_score:g}"),
        ]


def _spec(said: Said) -> PoseSpec:
    assert said.decoder.pose is not None
    return said.decoder.pose


TASK = PoseTask()
