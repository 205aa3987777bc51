"""A task of another package: the brightest spots of a picture, none to three, as points.

Each third of a picture, from left to right, has one spot or none. A folder of such pictures has a
file `spots.csv`: a name and its points, `12.5 7;30 4`, in pixels from the picture's corner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec, place
from edgeinfer.device.tasks.prediction import Canvas, Placing, Prediction
from edgeinfer.device.tasks.task import Decode, Said, Task, check_vector

NAME = "spots"
THIRDS = 3
NEAR = 0.1
"""A spot is found within this share of the picture's width."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Spots(Prediction):
    """Points (spots, 2) in pixels of a picture of `size` (width, height)."""

    points: NDArray[np.float64]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def in_frame(self, size: tuple[int, int]) -> Spots:
        if self.placing is None:
            return self
        points = self.placing(size).to_frame(self.points)
        return replace(self, points=points, size=size, placing=None)

    @property
    def headline(self) -> str:
        return f"{len(self.points)} spots"

    def text(self, count: int = THIRDS) -> str:
        return f"{self.headline} {np.round(self.points[:count], 1).tolist()}"

    def to_json(self, count: int = 5) -> dict[str, object]:
        return {"size": list(self.size), "spots": np.round(self.points, 2).tolist()}

    def quantities(self) -> dict[str, float]:
        return {"count": len(self.points)}

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        places = canvas.places(self.points, self.size).tolist()
        canvas.figure([], [(round(x), round(y)) for x, y in places], canvas.colour(0))
        canvas.lines([self.text()])


class SpotsTask(Task):
    name: ClassVar[str] = NAME
    has_places: ClassVar[bool] = True

    def check_outputs(self, said: Said, outputs: Sequence[TensorSpec]) -> None:
        check_vector(outputs[0], 3 * THIRDS)

    def make_decode(
        self, said: Said, outputs: Sequence[TensorSpec], preprocess: PreprocessSpec
    ) -> Decode:
        def decode(tensors: Sequence[NDArray[np.generic]]) -> Spots:
            thirds = outputs[0].dequantize(tensors[0]).reshape(THIRDS, 3)
            points = thirds[thirds[:, 0] > 0, 1:] * np.array(preprocess.size, np.float64)
            return Spots(points=points, size=preprocess.size, placing=partial(place, preprocess))

        return decode


class MeasuredSpots(MeasuredTask):
    """The score is the share of spots, true and answered ones, that have a partner nearby."""

    name: ClassVar[str] = NAME
    score_name: ClassVar[str] = "spots found"
    figure: ClassVar[str] = "found"

    def write_target(self, target: Points, said: Said) -> str:
        return ";".join(f"{x:g} {y:g}" for x, y in target)

    def target_reader(self, said: Said) -> Callable[[str], Points]:
        return read_points

    def group(self, target: Points) -> int:
        return len(target)

    def target_of(self, prediction: Prediction) -> Points:
        assert isinstance(prediction, Spots)
        return tuple((float(x), float(y)) for x, y in prediction.points)

    def outcome(self, target: Points, prediction: Prediction) -> tuple[int, float]:
        assert isinstance(prediction, Spots)
        if not target and not len(prediction.points):
            return 0, 1.0
        near = NEAR * prediction.size[0]
        free, found = [np.array(point) for point in prediction.points], 0
        for point in target:
            distances = [float(np.linalg.norm(other - point)) for other in free]
            if distances and min(distances) <= near:
                free.pop(int(np.argmin(distances)))
                found += 1
        return len(target), 2 * found / (len(target) + len(prediction.points))

    def evaluation(self, outcomes: Sequence[tuple[int, float]], said: Said) -> Evaluation:
        return Evaluation(
            scores=np.array([score for _, score in outcomes], np.float64),
            groups=np.array([count for count, _ in outcomes], np.int64),
            group_names=tuple(f"{count} spots" for count in range(THIRDS + 1)),
            score_name=self.score_name,
        )


def read_points(text: str) -> Points:
    pairs = [pair.split(" ") for pair in text.split(";") if pair]
    return tuple((float(x), float(y)) for x, y in pairs)


TASK, MEASURED = SpotsTask(), MeasuredSpots()
