"""Objects in a picture.

Places are measured in pixels of a picture of `size` (width, height) from its upper left corner, so
that the centre of the first pixel is (0.5, 0.5). Of a tensor alone the picture is the model's own
image; `in_frame` gives the same in a frame that the tensor was prepared from, the crop undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.tasks.detection.consensus import Objects, consensus
from edgeinfer.device.tasks.prediction import (
    Canvas,
    Placing,
    Prediction,
    class_name,
    listed,
)


@dataclass(frozen=True, kw_only=True)
class Detections(Prediction):
    """The answer of a detector: the objects in a picture, the one with the highest score first.

    `len(detections)` is the number of objects.

    Examples:
        >>> found = model.predict("street.jpg")
        >>> for name, score, box in zip(found.names, found.scores, found.boxes):
        ...     print(name, score, box)
        person 0.91 [ 12.4  30.  201.7 388.2]

    Attributes:
        labels: the names of all classes, in the order of the model's output.
        boxes: (objects, 4) float64, left, top, right and bottom of each object, in pixels of the
            picture.
        classes: (objects,) int64, the number of each object's class in `labels`.
        scores: (objects,) float64, how sure the model is of each object, 0 to 1, the highest first.
        size: (width, height) of the picture in pixels.
        placing: see `Prediction`.
    """

    labels: tuple[str, ...]
    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    size: tuple[int, int]
    placing: Placing | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        shapes = (self.boxes.shape, self.classes.shape, self.scores.shape)
        count = len(self.scores)
        if shapes != ((count, 4), (count,), (count,)):
            raise ValueError(f"boxes, classes and scores are {shapes}, expected one each an object")

    def __len__(self) -> int:
        """Return how many objects were found."""
        return len(self.scores)

    def in_frame(self, size: tuple[int, int]) -> Detections:
        """Return the objects in pixels of a frame of (width, height), without those outside it."""
        if self.placing is None:
            return self
        corners = self.placing(size).to_frame(self.boxes.reshape(-1, 2, 2))
        boxes = np.clip(corners, 0, size).reshape(-1, 4)
        kept = (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
        return replace(
            self,
            boxes=boxes[kept],
            classes=self.classes[kept],
            scores=self.scores[kept],
            size=size,
            placing=None,
        )

    @property
    def names(self) -> list[str]:
        """The class name of each object, in the order of `boxes`; `class N` if it has no name."""
        return [class_name(self.labels, int(index)) for index in self.classes]

    @property
    def headline(self) -> str:
        """How many objects of each class were found, such as "1 dog, 2 person"."""
        counts = sorted(Counter(self.names).items())
        return ", ".join(f"{n} {name}" for name, n in counts) or "nothing"

    def text(self, count: int = 3) -> str:
        """Return the `count` best objects on one line, and how many more there are."""
        shown = list(zip(self.names, self.scores, strict=True))[:count]
        return listed([f"{name} {score:.1%}" for name, score in shown], len(self))

    def to_json(self, count: int = 5) -> dict[str, object]:
        """Return a dict with `size`, and in `detections` each object's label, score and box."""
        objects = zip(self.names, self.scores.tolist(), self.boxes.tolist(), strict=True)
        return {
            "size": list(self.size),
            "detections": [
                {"label": name, "score": round(score, 6), "box": [round(x, 2) for x in box]}
                for name, score, box in objects
            ],
        }

    def goes_on(self, before: Prediction) -> bool:
        """Return whether an earlier answer has the same classes in a picture of the same size."""
        return isinstance(before, Detections) and (before.labels, before.size) == (
            self.labels,
            self.size,
        )

    def smoothed(self, before: Sequence[Detections]) -> Detections:
        """Return the objects that more than half of the answers have, see `consensus.py`."""
        answers = (*before, self)
        agreed = consensus([Objects(one.boxes, one.classes, one.scores) for one in answers])
        return replace(self, **agreed._asdict())

    def draw(self, canvas: Canvas, truth: str | None) -> None:
        """Draw a box around each object, the surest last, on top of the others."""
        boxes = canvas.places(self.boxes.reshape(-1, 2, 2), self.size).reshape(-1, 4)
        order = range(len(self) - 1, -1, -1)
        for i in order:
            left, top, right, bottom = boxes[i].tolist()
            canvas.box(left, top, right, bottom, canvas.colour(int(self.classes[i])))
        for i in order:
            index = int(self.classes[i])
            name = canvas.name(class_name(self.labels, index), index)
            text = f"{name} {self.scores[i]:.0%}"
            canvas.tag(text, boxes[i, 0], boxes[i, 1], canvas.colour(index))

    def ranked(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` best objects as (label, score), the best first."""
        return list(zip(self.names, self.scores.tolist(), strict=True))[:count]

    def quantities(self) -> dict[str, float]:
        """Return how many objects there are."""
        return {"count": len(self)}
