"""Pose: the outputs of a PoseNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, LIMBS, decode_poses
from edgeinfer.device.tasks.pose.guess import guess_pose
from edgeinfer.device.tasks.spec import PoseSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task


class PoseTask(Task):
    """People by their keypoints."""

    name: ClassVar[str] = "pose"
    parts: ClassVar[frozenset[str]] = frozenset({"pose"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score"})
    has_places: ClassVar[bool] = True

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score of a person."""
        said = super().adjusted(said, answer)
        if answer.min_score is None:
            return said
        spec = replace(_spec(said), min_person_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, pose=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that are not heatmaps, offsets and displacements over one grid."""
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
        """Return what turns heatmaps, offsets and displacements into people."""
        spec, labels, placing = _spec(said), said.labels, partial(place, preprocess)
        return lambda tensors: decode_poses(
            tensors, outputs, spec, labels, size=preprocess.size, placing=placing
        )

    def guess(self, shown: Shown) -> Guess | None:
        """Return how a pose model is to be read."""
        return guess_pose(shown)

    def fit_labels(
        self, guess: Guess, found: tuple[str, ...] | None, *, given: bool, subject: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return the keypoints' names; they have usual names without a file."""
        if found is None:
            return (), None
        return super().fit_labels(guess, found, given=given, subject=subject)

    def rows(self, said: Said) -> Rows:
        """Return which output is what."""
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
