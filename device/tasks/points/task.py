"""Points: where the centres of things are, from a map of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.detection.cells import check_cells
from edgeinfer.device.tasks.points.decode import check_points, points_decoder
from edgeinfer.device.tasks.spec import PointsSpec
from edgeinfer.device.tasks.task import Decode, Rows, Said, Task


class PointsTask(Task):
    """Things in a picture, by their centres; the answers are `Detections` of equal squares."""

    name: ClassVar[str] = "points"
    first_schema: ClassVar[int] = 4
    parts: ClassVar[frozenset[str]] = frozenset({"points"})
    adjusts: ClassVar[frozenset[str]] = frozenset({"min_score"})
    has_places: ClassVar[bool] = True
    smooths: ClassVar[bool] = True
    has_objects: ClassVar[bool] = True

    def adjusted(self, said: Said, answer: AnswerOptions) -> Said:
        """Return the outputs' description with another least score."""
        said = super().adjusted(said, answer)
        if answer.min_score is None:
            return said
        spec = replace(points_spec(said), min_score=answer.min_score)
        return replace(said, decoder=replace(said.decoder, points=spec))

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        """Refuse outputs that are not scores and places of one grid."""
        check_points(points_spec(said), said.labels, outputs)

    def check_image(self, said: Said, outputs: Sequence[TensorSpec], size: tuple[int, int]) -> None:
        """Refuse cells that are not the image."""
        spec = points_spec(said)
        check_cells(outputs[spec.scores], spec.stride, size)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        """Return what turns scores and places into things."""
        return points_decoder(
            points_spec(said),
            outputs,
            labels=said.labels,
            size=preprocess.size,
            placing=partial(place, preprocess),
        )

    def rows(self, said: Said) -> Rows:
        """Return which output is what."""
        spec = points_spec(said)
        return [
            ("outputs", f"every {spec.stride} px: scores {spec.scores}, places {spec.places}"),
            ("places", "ways from a cell's centre to that of a thing, in strides"),
            ("drawn side", f"{spec.side:.1%} of the image"),
            ("min score", f"{spec.min_score:g}"),
        ]


def points_spec(said: Said) -> PointsSpec:
    """Return how the outputs of such a model are read."""
    assert said.decoder.points is not None
    return said.decoder.points


TASK = PointsTask()
